/**
 * A simulation by the clock on the wall, so that what is outside can join it: a kernel behind a TAP
 * device, another process, a page's socket. Simulated links, switches and hosts stay what they are;
 * with the world outside a run no longer repeats by its seed.
 *
 * ```ts
 * const sim = new Simulation({ seed: 1, module, ambient: "allow" });
 * const realTime = new RealTime(sim);
 * const kernel = realTime.attach("kernel", device);
 * sim.link(kernel, sim.host("server", { address: "10.0.0.1/24" }), { delayMs: 50, loss: 0.01 });
 * await realTime.run(() => sim.sleep(60_000));
 * ```
 */
import { ERRNO_ETIMEDOUT } from "../../assembly/layout";
import { DemibunError } from "../errors";
import type { Simulation } from "./simulation";
import type { Port, Station } from "./station";
import { turn } from "./turn";

/** What carries Ethernet frames between the simulation and the world outside. */
export interface OutsideDevice {
  /** The next frame from outside, the simulation's own from now on; undefined when none waits. */
  read(): Uint8Array | undefined;
  /** Takes a frame out; as any device it may lose it. The array is not to be kept. */
  write(frame: Uint8Array): void;
}

export interface OutsideClock {
  /** Milliseconds since any moment; never goes back. */
  nowMs(): number;
  /** Waits until that time, or until a device may have a frame; it may return early. */
  wait(untilMs: number): void | Promise<void>;
}

/** How far the events of a run were behind the clock. */
export interface Lateness {
  /** How often the run caught up with the clock. */
  readonly turns: number;
  readonly meanMs: number;
  readonly maximumMs: number;
  /** How often it was more than a millisecond behind. */
  readonly lateTurns: number;
}

const LATE_NS = 1e6;
/** Without a way to be woken, devices are looked at this often. */
const LOOK_MS = 1;
const RUN_TIMEOUT_MS = 3_600_000;

/** For pages and tests: asks devices every millisecond. */
const lookingClock: OutsideClock = {
  nowMs: () => performance.now(),
  wait: (untilMs) =>
    new Promise((resolve) => {
      const delayMs = Math.min(LOOK_MS, untilMs - performance.now());
      setTimeout(resolve, Math.max(0, delayMs));
    }),
};

/** The place of the world outside among the stations of a simulation. */
export class Attachment implements Station {
  readonly name: string;
  /** Frames from outside and to outside. */
  entered = 0;
  left = 0;
  readonly #device: OutsideDevice;
  #port: Port | undefined;

  constructor(name: string, device: OutsideDevice) {
    this.name = name;
    this.#device = device;
  }

  plug(port: Port): void {
    this.#port = port;
  }

  receive(frame: Uint8Array): void {
    this.left++;
    this.#device.write(frame);
  }

  /** Sends what waits outside into the link; says whether there was anything. */
  take(): boolean {
    let frame = this.#device.read();
    const any = frame !== undefined;
    for (; frame !== undefined; frame = this.#device.read()) {
      this.entered++;
      this.#port?.send(frame);
    }
    return any;
  }
}

export class RealTime {
  readonly #simulation: Simulation;
  readonly #clock: OutsideClock;
  readonly #attachments: Attachment[] = [];
  #turns = 0;
  #lateNs = 0;
  #latestNs = 0;
  #lateTurns = 0;

  constructor(simulation: Simulation, clock: OutsideClock = lookingClock) {
    this.#simulation = simulation;
    this.#clock = clock;
  }

  /** A station that stands for `device`: `sim.link` joins it to others. */
  attach(name: string, device: OutsideDevice): Attachment {
    const attachment = new Attachment(name, device);
    this.#attachments.push(attachment);
    return attachment;
  }

  get lateness(): Lateness {
    const turns = this.#turns;
    const meanMs = turns === 0 ? 0 : this.#lateNs / turns / 1e6;
    return { turns, meanMs, maximumMs: this.#latestNs / 1e6, lateTurns: this.#lateTurns };
  }

  /**
   * Lets the world run by the clock until what `main` returns settles, and gives its value. Rejects
   * with what `main`, an application or a check threw; ETIMEDOUT after `timeoutMs`, an hour by default.
   */
  async run<T>(main: () => T | Promise<T>, options: { timeoutMs?: number } = {}): Promise<T> {
    const clock = this.#clock;
    const { scheduler, now } = this.#simulation;
    const startMs = clock.nowMs() - now;
    const untilMs = now + (options.timeoutMs ?? RUN_TIMEOUT_MS);
    let outcome: (() => T) | undefined;
    Promise.resolve(main()).then(
      (value) => {
        outcome = () => value;
      },
      (cause) => {
        outcome = () => {
          throw cause;
        };
      },
    );
    for (;;) {
      await turn();
      if (outcome !== undefined) return (outcome as () => T)();
      const nowMs = clock.nowMs() - startMs;
      if (nowMs > untilMs) throw overdue(nowMs);
      // What happened may have woken promises, which come first.
      if (this.#catchUp(Math.floor(nowMs * 1e6))) continue;
      await clock.wait(startMs + Math.min(untilMs + 1, scheduler.nextNs / 1e6));
    }
  }

  /** Runs what is due and takes what has come; says whether there was anything. */
  #catchUp(nowNs: number): boolean {
    const { scheduler } = this.#simulation;
    const lateNs = nowNs - scheduler.nextNs;
    const isDue = lateNs >= 0;
    if (isDue) {
      this.#turns++;
      if (lateNs > LATE_NS) this.#lateTurns++;
      this.#lateNs += lateNs;
      this.#latestNs = Math.max(this.#latestNs, lateNs);
      this.#simulation.runSync(nowNs / 1e6);
    }
    scheduler.advance(nowNs);
    let hasCome = false;
    for (const attachment of this.#attachments) hasCome = attachment.take() || hasCome;
    return isDue || hasCome;
  }
}

function overdue(nowMs: number): DemibunError {
  return new DemibunError({
    operation: "run",
    errno: ERRNO_ETIMEDOUT,
    detail: `the run has not ended after ${Math.round(nowMs)} ms`,
    hint: "give run a larger timeoutMs, or look at what it waits for",
  });
}
