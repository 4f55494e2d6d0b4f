/**
 * A world of hosts and links under virtual time: the same stack, binary for binary, that runs on
 * devices, with every choice made by one seed. Runs in Bun, Node and a browser.
 *
 * ```ts
 * const sim = new Simulation({ seed: 1, module: await loadStackModule() });
 * const server = sim.host("server", { address: "10.0.0.1/24" });
 * const client = sim.host("client", { address: "10.0.0.2/24" });
 * sim.link(server, client, { delayMs: 10, loss: 0.01, bandwidthBitsPerSecond: 1e7 });
 * await sim.run(async () => { … server.demikernel …; await sim.sleep(500); … });
 * ```
 */
import { ERRNO_EINVAL, ERRNO_ETIMEDOUT } from "../../assembly/layout";
import { DemibunError } from "../errors";
import { parseIpv4 } from "../wasm/address";
import { defaultStackOptions, type StackOptions } from "../wasm/stack-options";
import { Ambient, type AmbientMode } from "./ambient";
import { SimulatedDevice } from "./device";
import { Fingerprint } from "./fingerprint";
import { Host, type World } from "./host";
import { Memories } from "./memories";
import { Link } from "./network/link";
import type { LinkOptions } from "./network/options";
import { Router, type RouterOptions } from "./network/router";
import { Switch, type SwitchOptions } from "./network/switch";
import { Random } from "./random";
import { Scheduler } from "./scheduler";
import type { Station } from "./station";
import type { FrameEvent, FrameListener } from "./trace";
import { turn } from "./turn";

export interface SimulationOptions {
  /** Decides every random choice of the run. */
  readonly seed: number | string;
  /** The compiled stack: `await loadStackModule()`. */
  readonly module: WebAssembly.Module;
  /** What a clock or randomness outside the simulation gets: refused by default. */
  readonly ambient?: AmbientMode | undefined;
}

export interface SimulatedHostOptions {
  /** Address and prefix length, `"10.0.0.1/24"`. */
  readonly address: string;
  readonly gateway?: string | undefined;
  /** Largest IP packet of its device in bytes; 1,500 by default. */
  readonly mtu?: number | undefined;
  /** Pool sizes and defaults that differ from `simulatedStackOptions`. */
  readonly stack?: Partial<StackOptions> | undefined;
  /** How much faster than true its clock runs, in parts per million; 0 by default. */
  readonly driftPpm?: number | undefined;
  /** What its clock shows at the start, in microseconds; 1,000,000 by default. */
  readonly clockStartUs?: number | undefined;
  /** Time its processor takes between being woken and answering, in microseconds; 0 by default. */
  readonly turnUs?: number | undefined;
  /** Bytes in the link's queue from which on packets wait in the device; without end by default. */
  readonly backPressureBytes?: number | undefined;
}

export interface RunOptions {
  /** Virtual milliseconds after which a run that has not ended fails with ETIMEDOUT. */
  readonly timeoutMs?: number | undefined;
}

/** Small pools, so that a host takes about 1.5 MB; buffers of a fixed size. */
export const simulatedStackOptions: StackOptions = {
  ...defaultStackOptions,
  frames: 512,
  connections: 32,
  queues: 64,
  tokens: 256,
  datagramSockets: 16,
  neighbours: 32,
  ringEntries: 128,
  reassemblySets: 4,
  receiveBufferBytes: 1 << 16,
  sendBufferBytes: 1 << 16,
  receiveBufferMaxBytes: 0,
  sendBufferMaxBytes: 0,
};

/** Looked at after every event, with the hosts whose stacks ran in it. */
export type Check = (touched: ReadonlySet<Host>) => void;

/** Turns that promises get to settle by themselves before a run without events counts as stuck. */
const IDLE_TURNS = 50;
const RUN_TIMEOUT_MS = 3_600_000;

export class Simulation {
  readonly seed: number | string;
  readonly scheduler = new Scheduler();
  /** For choices of the test itself; split it by purpose. */
  readonly random: Random;
  readonly fingerprint = new Fingerprint();
  readonly #module: WebAssembly.Module;
  readonly #memories = new Memories();
  readonly #ambient: Ambient;
  readonly #hosts = new Map<string, Host>();
  readonly #links: Link[] = [];
  readonly #listeners: FrameListener[] = [];
  readonly #checks: Check[] = [];
  readonly #touched = new Set<Host>();
  #applicationRan = false;
  #failure: { readonly cause: unknown } | undefined;

  constructor({ seed, module, ambient = "forbid" }: SimulationOptions) {
    this.seed = seed;
    this.#module = module;
    this.random = new Random(seed);
    const source = this.random.split("ambient");
    this.#ambient = new Ambient(ambient, {
      nowMs: () => this.now,
      dateMs: () => 1_767_225_600_000 + this.now,
      float: () => source.float(),
      bytes: (count) => source.bytes(count),
      after: (delayMs, run) => this.after(delayMs, run),
    });
  }

  /** Milliseconds of true time since the start. */
  get now(): number {
    return this.scheduler.nowNs / 1e6;
  }

  get hosts(): ReadonlyMap<string, Host> {
    return this.#hosts;
  }

  get links(): readonly Link[] {
    return this.#links;
  }

  /** Adds a host and boots it. Errors: EINVAL (name taken, address). */
  host(name: string, options: SimulatedHostOptions): Host {
    if (this.#hosts.has(name)) {
      throw new DemibunError({
        operation: "host",
        errno: ERRNO_EINVAL,
        detail: `there is a host ${JSON.stringify(name)} already`,
      });
    }
    const { address, prefix } = parsePrefix(options.address);
    const device = new SimulatedDevice(name, {
      mac: Uint8Array.of(2, 0, address >>> 24, address >>> 16, address >>> 8, address),
      mtu: options.mtu ?? 1500,
      address,
      prefix,
      backPressureBytes: options.backPressureBytes ?? Number.POSITIVE_INFINITY,
    });
    device.onDrop = (frame, reason) => {
      const direction = `>${name}`;
      this.#observe({
        timeNs: this.scheduler.nowNs,
        what: "dropped",
        direction,
        station: name,
        frame,
        reason,
      });
    };
    const { gateway } = options;
    const host = new Host(name, device, this.random.split(`host/${name}`), this.#world(), {
      stack: { ...simulatedStackOptions, ...options.stack },
      driftPpm: options.driftPpm ?? 0,
      // Not zero, so that nothing gets to rely on it.
      clockStartUs: options.clockStartUs ?? 1_000_000,
      turnUs: options.turnUs ?? 0,
      gateway: gateway === undefined ? undefined : parseIpv4(gateway, "gateway"),
    });
    this.#hosts.set(name, host);
    return host;
  }

  /** A switch to link stations to; a hub with `learns: false`. */
  switch(name: string, options: SwitchOptions = {}): Switch {
    return new Switch(this.scheduler, name, options);
  }

  /** A router; its interfaces, from `addInterface`, are what to link to. */
  router(name: string, options: Omit<RouterOptions, "trace"> = {}): Router {
    return new Router(this.scheduler, name, {
      ...options,
      trace: (event) => this.#observe(event),
    });
  }

  /** Joins two stations. Errors: EINVAL naming the option that cannot be. */
  link(a: Host | Station, b: Host | Station, options: LinkOptions = {}, name?: string): Link {
    const link = new Link(
      {
        scheduler: this.scheduler,
        random: this.random,
        trace: (event) => this.#observe(event),
        name,
      },
      a instanceof Host ? a.device : a,
      b instanceof Host ? b.device : b,
      options,
    );
    this.#links.push(link);
    return link;
  }

  /** Calls `listener` with everything that happens to any frame. */
  onFrame(listener: FrameListener): void {
    this.#listeners.push(listener);
  }

  /** Calls `check` after every event; what it throws ends the run. */
  onEvent(check: Check): void {
    this.#checks.push(check);
  }

  /** Runs `run` after `delayMs` of true time. */
  after(delayMs: number, run: () => void): { cancel(): void; unref(): void } {
    const event = this.scheduler.after(Math.max(0, delayMs) * 1e6, () => {
      run();
      this.#applicationRan = true;
    });
    return { cancel: () => this.scheduler.cancel(event), unref: () => {} };
  }

  /** Resolves after `delayMs` of true time. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  /**
   * Runs the world until what `main` returns settles, and gives its value. Rejects with what `main`,
   * an application or a check threw; ETIMEDOUT when virtual time runs out, also because nothing is
   * left that could happen.
   */
  async run<T>(main: () => T | Promise<T>, options: RunOptions = {}): Promise<T> {
    const untilNs = this.scheduler.nowNs + (options.timeoutMs ?? RUN_TIMEOUT_MS) * 1e6;
    let outcome: { readonly value: T } | undefined;
    this.#ambient.enter();
    try {
      const started = Promise.resolve(main());
      started.then(
        (value) => {
          outcome = { value };
        },
        (cause) => this.#failed(cause),
      );
      for (let idle = 0; idle < IDLE_TURNS;) {
        await turn();
        this.#throwFailure();
        if (outcome !== undefined) return outcome.value;
        idle = this.#runUntilApplication(untilNs) ? 0 : idle + 1;
      }
      throw this.#stuck(untilNs);
    } finally {
      this.#ambient.leave();
    }
  }

  /** Lets `delayMs` of virtual time pass. */
  async runFor(delayMs: number): Promise<void> {
    await this.run(() => this.sleep(delayMs));
  }

  /**
   * Runs events without giving promises a turn, for applications made of callbacks only: until no
   * event is left, virtual time reaches `untilMs`, or `until` answers true. False: time ran out.
   */
  runSync(untilMs: number, until: () => boolean = () => false): boolean {
    this.#ambient.enter();
    try {
      while (!until()) {
        if (!this.#step(untilMs * 1e6)) return this.scheduler.pending === 0;
      }
      return true;
    } finally {
      this.#ambient.leave();
    }
  }

  /** Runs events until application code ran; false when there was none to run. */
  #runUntilApplication(untilNs: number): boolean {
    this.#applicationRan = false;
    let ran = false;
    while (!this.#applicationRan && this.#failure === undefined) {
      if (!this.#step(untilNs)) break;
      ran = true;
    }
    return ran;
  }

  /**
   * Ends its hosts and hands their memories to simulations to come: who runs many in one process says
   * `using sim = new Simulation(…)`, or the engine keeps megabytes of each until it collects garbage.
   */
  [Symbol.dispose](): void {
    for (const host of this.#hosts.values()) host.crash();
    this.#memories.giveBack();
  }

  #step(untilNs: number): boolean {
    if (!this.scheduler.step(untilNs)) return false;
    this.#throwFailure();
    if (this.#touched.size > 0) {
      for (const check of this.#checks) check(this.#touched);
      this.#touched.clear();
    }
    return true;
  }

  #observe(event: FrameEvent): void {
    this.fingerprint.frame(event);
    try {
      for (const listener of this.#listeners) listener(event);
    } catch (cause) {
      // Thrown from inside a stack's turn it would count as that stack's failure.
      this.#failed(cause);
    }
  }

  #world(): World {
    return {
      module: this.#module,
      memories: this.#memories,
      scheduler: this.scheduler,
      applicationRan: () => {
        this.#applicationRan = true;
      },
      touched: (host) => void this.#touched.add(host),
      runNested: (untilNs, until) => {
        while (!until() && this.#step(untilNs));
        if (!until() && Number.isFinite(untilNs)) this.scheduler.advance(untilNs);
      },
      failed: (cause) => this.#failed(cause),
    };
  }

  #failed(cause: unknown): void {
    this.#failure ??= { cause };
  }

  #throwFailure(): void {
    const violation = this.#ambient.takeViolation();
    if (violation !== undefined) throw violation;
    if (this.#failure === undefined) return;
    const { cause } = this.#failure;
    this.#failure = undefined;
    throw cause;
  }

  #stuck(untilNs: number): DemibunError {
    const late = this.scheduler.nextNs > untilNs && this.scheduler.pending > 0;
    return new DemibunError({
      operation: "run",
      errno: ERRNO_ETIMEDOUT,
      detail: late
        ? `the run has not ended after ${this.now} ms of virtual time`
        : "nothing is left that could happen, and the run has not ended",
      hint: late
        ? "give run a larger timeoutMs, or look at what it waits for"
        : "something is awaited that no simulated host will do",
    });
  }
}

function parsePrefix(text: string): { address: number; prefix: number } {
  const [address = "", length = "24"] = text.split("/");
  const prefix = Number(length);
  if (!(Number.isInteger(prefix) && prefix >= 0 && prefix <= 32)) {
    throw new DemibunError({
      operation: "host",
      errno: ERRNO_EINVAL,
      detail: `${JSON.stringify(text)} has no prefix length from 0 to 32`,
      hint: "write an address such as 10.0.0.1/24",
    });
  }
  return { address: parseIpv4(address, "host"), prefix };
}
