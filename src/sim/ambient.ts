/**
 * Clocks and randomness outside the simulation. Code that asks them while a run is on would make the
 * run depend on the day: they are refused, or answered from the simulation, for as long as events
 * and what they set off run.
 */
import { ERRNO_EINVAL } from "../../assembly/layout";
import { DemibunError } from "../errors";
import type { Timer } from "../runtime/event-loop";

/**
 * `forbid`: a use throws and fails the run. `virtual`: it gets virtual time and seeded numbers.
 * `allow`: it passes, and the run may not repeat.
 */
export type AmbientMode = "forbid" | "virtual" | "allow";

/** Where `virtual` gets its answers. */
export interface AmbientSource {
  nowMs(): number;
  dateMs(): number;
  float(): number;
  bytes(count: number): Uint8Array;
  after(delayMs: number, run: () => void): Timer;
}

type Replacement = readonly [target: object, name: string, make: (name: string) => unknown];

export class Ambient {
  readonly #mode: AmbientMode;
  readonly #replacements: readonly Replacement[];
  #saved: (readonly [target: object, name: string, descriptor: PropertyDescriptor | undefined])[] =
    [];
  #violation: DemibunError | undefined;

  constructor(mode: AmbientMode, source: AmbientSource) {
    this.#mode = mode;
    this.#replacements = mode === "virtual" ? virtual(source) : this.#forbidden();
  }

  /** The first forbidden use since the last call. */
  takeViolation(): DemibunError | undefined {
    const violation = this.#violation;
    this.#violation = undefined;
    return violation;
  }

  /** Until `leave`; nothing else of the process should run in between. */
  enter(): void {
    if (this.#mode === "allow" || this.#saved.length > 0) return;
    this.#saved = this.#replacements.map(([target, name, make]) => {
      const before = Object.getOwnPropertyDescriptor(target, name);
      Object.defineProperty(target, name, {
        value: make(name),
        configurable: true,
        writable: true,
      });
      return [target, name, before] as const;
    });
  }

  leave(): void {
    for (const [target, name, before] of this.#saved.reverse()) {
      if (before === undefined) Reflect.deleteProperty(target, name);
      else Object.defineProperty(target, name, before);
    }
    this.#saved = [];
  }

  #forbidden(): Replacement[] {
    const refuse = (what: string, hint: string) => (): never => {
      this.#violation ??= new DemibunError({
        operation: "simulation",
        errno: ERRNO_EINVAL,
        detail: `${what} was called inside the simulation, so the run would not repeat`,
        hint: `${hint}, or open the simulation with ambient: "virtual"`,
      });
      throw this.#violation;
    };
    const time = "use sim.now, or host.dateMs() for the calendar";
    const timer = "use sim.sleep(ms) or host.after(ms, run)";
    const random = "use sim.random";
    const RealDate = Date;
    const refuseDate = refuse("new Date()", time);
    class GuardedDate extends RealDate {
      constructor(...given: unknown[]) {
        if (given.length === 0) refuseDate();
        super(...(given as [number]));
      }
      static override now = refuse("Date.now()", time);
    }
    return [
      [globalThis, "Date", () => GuardedDate],
      [performance, "now", () => refuse("performance.now()", time)],
      [Math, "random", () => refuse("Math.random()", random)],
      [crypto, "getRandomValues", () => refuse("crypto.getRandomValues()", random)],
      [crypto, "randomUUID", () => refuse("crypto.randomUUID()", random)],
      ...["setTimeout", "setInterval", "setImmediate"]
        .filter((name) => name in globalThis)
        .map((name): Replacement => [globalThis, name, () => refuse(`${name}()`, timer)]),
    ];
  }
}

function virtual(source: AmbientSource): Replacement[] {
  const RealDate = Date;
  class VirtualDate extends RealDate {
    constructor(...given: unknown[]) {
      super(...((given.length === 0 ? [source.dateMs()] : given) as [number]));
    }
    static override now = () => Math.floor(source.dateMs());
  }
  const timers = new Map<number, Timer>();
  let last = 0;
  const start = (delayMs: number, run: () => void): number => {
    const id = ++last;
    timers.set(
      id,
      source.after(delayMs, () => {
        timers.delete(id);
        run();
      }),
    );
    return id;
  };
  const stop = (id: number | undefined): void => {
    if (id === undefined) return;
    timers.get(id)?.cancel();
    timers.delete(id);
  };
  const once =
    () =>
    (run: (...given: unknown[]) => void, delayMs = 0, ...given: unknown[]): number =>
      start(Math.max(1, Number(delayMs) || 0), () => run(...given));
  const repeated =
    () =>
    (run: (...given: unknown[]) => void, delayMs = 0, ...given: unknown[]): number => {
      const again = (): void => {
        timers.set(id, source.after(Math.max(1, delayMs), again));
        run(...given);
      };
      const id = start(Math.max(1, delayMs), again);
      return id;
    };
  const soon =
    () =>
    (run: (...given: unknown[]) => void, ...given: unknown[]): number =>
      start(0, () => run(...given));
  const clear = () => stop;
  return [
    [globalThis, "Date", () => VirtualDate],
    [performance, "now", () => () => source.nowMs()],
    [Math, "random", () => () => source.float()],
    [
      crypto,
      "getRandomValues",
      () =>
        <View extends ArrayBufferView>(view: View): View => {
          new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(
            source.bytes(view.byteLength),
          );
          return view;
        },
    ],
    [crypto, "randomUUID", () => () => uuid(source.bytes(16))],
    [globalThis, "setTimeout", once],
    [globalThis, "setInterval", repeated],
    [globalThis, "clearTimeout", clear],
    [globalThis, "clearInterval", clear],
    ...("setImmediate" in globalThis
      ? ([
          [globalThis, "setImmediate", soon],
          [globalThis, "clearImmediate", clear],
        ] as const)
      : []),
  ];
}

/** RFC 9562 version 4. */
function uuid(bytes: Uint8Array): string {
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
