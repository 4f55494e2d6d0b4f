/** The clock on the wall, with waits that end when a descriptor becomes ready. */
import { ppoll, Struct } from "../libc";
import { encodePoll, type PollEntry } from "../sockets/readiness";

/** The thread stops while it waits; what else it has to do may be this late. */
const WAIT_MAX_MS = 10;

export class PollClock {
  readonly #entries: () => readonly PollEntry[];
  /** struct timespec. */
  readonly #timeout = new Struct(16);

  /** `entries` is asked at every wait. */
  constructor(entries: () => readonly PollEntry[]) {
    this.#entries = entries;
  }

  nowMs(): number {
    return performance.now();
  }

  /** Stops this thread until `untilMs`, or until a descriptor is ready, but not for long. */
  wait(untilMs: number): void {
    const leftMs = Math.min(WAIT_MAX_MS, Math.max(0, untilMs - this.nowMs()));
    this.#timeout.view.setBigInt64(8, BigInt(Math.floor(leftMs * 1e6)), true);
    const entries = this.#entries();
    ppoll(encodePoll(entries), entries.length, this.#timeout);
  }
}
