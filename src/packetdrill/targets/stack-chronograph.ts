/**
 * How long a connection had something to send, and what it then waited for, as Linux counts it
 * (tcp_chrono_start). The stack does nothing between two moments of virtual time, so what holds at one
 * holds until the next.
 */
import { ESTABLISHED } from "../../../assembly/transport/tcp/record";
import type { ConnectionView } from "../../wasm/connections";
import { unacknowledged } from "./stack-send-space";

/** Ticks of the stack's clock. */
const TICK_US = 128;

type Waiting = "nothing" | "acknowledgments" | "window" | "buffer";

export class Chronograph {
  readonly #view: ConnectionView;
  readonly #spentUs: Record<Waiting, number> = {
    nothing: 0,
    acknowledgments: 0,
    window: 0,
    buffer: 0,
  };
  #waiting: Waiting = "nothing";
  #sinceUs = 0;
  #openedUs: number | undefined;

  constructor(view: ConnectionView) {
    this.#view = view;
  }

  /** The stack has acted at this moment; `isBlocked`: a write waits for room. */
  note(nowUs: number, isBlocked: boolean): void {
    this.#spentUs[this.#waiting] += nowUs - this.#sinceUs;
    this.#sinceUs = nowUs;
    this.#waiting = waitingFor(this.#view, isBlocked);
    if (this.#view.stateNumber >= ESTABLISHED) this.#openedUs ??= nowUs;
  }

  /** Fields of TCP_INFO by their names, `startUs` being the stack's clock at time zero. */
  info(startUs: number): [name: string, value: number][] {
    const { nothing, ...busy } = this.#spentUs;
    const receivedUs = this.#view.receivedTick * TICK_US - startUs;
    const sinceUs = this.#sinceUs - Math.max(receivedUs, this.#openedUs ?? 0);
    return [
      ["tcpi_busy_time", busy.acknowledgments + busy.window + busy.buffer],
      ["tcpi_rwnd_limited", busy.window],
      ["tcpi_sndbuf_limited", busy.buffer],
      ["tcpi_last_data_recv", Math.max(0, Math.floor(sinceUs / 1000))],
    ];
  }
}

function waitingFor(view: ConnectionView, isBlocked: boolean): Waiting {
  const outstanding = unacknowledged(view);
  if (outstanding === 0) return "nothing";
  const unsent = view.unsentBytes;
  const flight = outstanding - unsent;
  if (unsent === 0) return isBlocked ? "buffer" : "acknowledgments";
  const next = Math.min(unsent, view.mss);
  const fitsWindow = flight + next <= view.sendWindow;
  return !fitsWindow && flight + next <= view.cwnd ? "window" : "acknowledgments";
}
