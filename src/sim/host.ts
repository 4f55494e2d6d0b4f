/**
 * A simulated host: one instance of the stack with its own clock and memory, which can stop, crash
 * and start again.
 */
import { ERRNO_EINVAL } from "../../assembly/layout";
import { DemibunError } from "../errors";
import { Demikernel } from "../pdpix/demikernel";
import type { EventLoop, Timer } from "../runtime/event-loop";
import { Connections } from "../wasm/connections";
import { Stack } from "../wasm/stack";
import type { StackOptions } from "../wasm/stack-options";
import type { SimulatedDevice } from "./device";
import type { Memories } from "./memories";
import { SimulatedLibOs } from "./libos";
import type { Random } from "./random";
import type { Event, Scheduler } from "./scheduler";

/** What a host runs: called at every boot with the instance of that boot. */
export type Application = (demikernel: Demikernel, host: Host) => void | Promise<void>;

export interface HostOptions {
  /** Pool sizes and defaults of the stack. */
  readonly stack: StackOptions;
  /** How much faster than true its clock runs, in parts per million. */
  readonly driftPpm: number;
  /** What its clock shows when the simulation starts, in microseconds. */
  readonly clockStartUs: number;
  /** From a kick of the reactor to its turn: what the host's processor takes, in microseconds. */
  readonly turnUs: number;
  readonly gateway: number | undefined;
}

/** What a host needs of the simulation it is in. */
export interface World {
  readonly module: WebAssembly.Module;
  readonly memories: Memories;
  readonly scheduler: Scheduler;
  /** Application code ran and may have promises to go on with. */
  applicationRan(): void;
  /** The host's stack ran: checks look at it before the next event. */
  touched(host: Host): void;
  /** Runs events until `until` says so or virtual time reaches `untilNs`. */
  runNested(untilNs: number, until: () => boolean): void;
  /** An application failed where nobody waits for it. */
  failed(cause: unknown): void;
}

/** A real event loop knows no longer delay: what asks for it only keeps a process alive. */
const NEVER_MS = 2 ** 31 - 1;
/** A device that refused packets is asked again after this. */
const BLOCKED_RETRY_NS = 50_000;
/** 2026-01-01: what simulated calendars begin with, lest a run depend on today. */
const DATE_START_MS = 1_767_225_600_000;

export class Host implements EventLoop {
  readonly name: string;
  readonly device: SimulatedDevice;
  readonly #world: World;
  readonly #options: HostOptions;
  readonly #random: Random;
  #application: Application | undefined;
  #boots = 0;
  #demikernel: Demikernel | undefined;
  #stack: Stack | undefined;
  #connections: Connections | undefined;
  /** Callbacks that came due while the host stood still, in order. */
  #deferred: (() => void)[] | undefined;
  #retry: Event | undefined;

  constructor(
    name: string,
    device: SimulatedDevice,
    random: Random,
    world: World,
    options: HostOptions,
  ) {
    this.name = name;
    this.device = device;
    this.#random = random;
    this.#world = world;
    this.#options = options;
    this.boot();
  }

  /** The instance of the present boot. Throws EINVAL while the host is down. */
  get demikernel(): Demikernel {
    return this.#demikernel ?? this.#down();
  }

  /** The stack of the present boot; undefined while the host is down. */
  get stack(): Stack | undefined {
    return this.#stack;
  }

  /** Its connection records; undefined while the host is down. */
  get connections(): Connections | undefined {
    return this.#connections;
  }

  /** How often it has started. */
  get boots(): number {
    return this.#boots;
  }

  get isUp(): boolean {
    return this.#demikernel !== undefined;
  }

  get isPaused(): boolean {
    return this.#deferred !== undefined;
  }

  /** Runs `application` now and at every later boot. */
  run(application: Application): void {
    this.#application = application;
    if (this.isUp) this.#start(application);
  }

  /** Starts the host with empty memory and the same addresses. Nothing happens when it is up. */
  boot(): void {
    if (this.isUp) return;
    this.#boots++;
    const seed = this.#random.split(`boot/${this.#boots}`).bytes(64);
    const options = { ...this.#options.stack, seed };
    const { module, memories } = this.#world;
    const stack = Stack.open(module, options, this.nowUs(), memories.take(options));
    const boot = this.#boots;
    const libos = new SimulatedLibOs(stack, this.device, {
      ran: (completed) => {
        this.#world.touched(this);
        if (completed) this.#world.applicationRan();
      },
      blocked: () => this.#pollLater(libos),
      block: (timeoutMs, woken) => this.#block(timeoutMs, woken),
    });
    if (this.#options.gateway !== undefined) stack.setGateway(0, this.#options.gateway);
    this.#stack = stack;
    this.#connections = new Connections(stack);
    this.#demikernel = new Demikernel(libos, { spinUs: 0, eventLoop: this.#loopOf(boot) });
    if (this.#application !== undefined) this.#start(this.#application);
  }

  /**
   * Cuts the power: memory, connections and timers are gone without a packet. What its application
   * awaits never settles.
   */
  crash(): void {
    this.device.detach();
    this.#stack?.[Symbol.dispose]();
    this.#stack = undefined;
    this.#connections = undefined;
    this.#demikernel = undefined;
    this.#deferred = undefined;
    if (this.#retry !== undefined) this.#world.scheduler.cancel(this.#retry);
    this.#retry = undefined;
  }

  /** Stands still, as in a garbage collection or a stopped virtual machine; its device goes on. */
  pause(): void {
    this.#deferred ??= [];
  }

  /** Goes on with everything that came due meanwhile. */
  resume(): void {
    const deferred = this.#deferred;
    this.#deferred = undefined;
    for (const run of deferred ?? []) run();
  }

  // What follows is the host's own clock: it runs at its own speed.

  nowUs(): number {
    return this.#options.clockStartUs + (this.#world.scheduler.nowNs / 1000) * this.#speed;
  }

  dateMs(): number {
    return DATE_START_MS + (this.nowUs() - this.#options.clockStartUs) / 1000;
  }

  soon(run: () => void): void {
    this.#loopOf(this.#boots).soon(run);
  }

  after(delayMs: number, run: () => void): Timer {
    return this.#loopOf(this.#boots).after(delayMs, run);
  }

  uncaught(cause: unknown): void {
    this.#world.failed(cause);
  }

  /** Resolves after `delayMs` of the host's clock, unless the host has crashed by then. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  get #speed(): number {
    return 1 + this.#options.driftPpm / 1e6;
  }

  /** The event loop of one boot: with a crash it ends. */
  #loopOf(boot: number): EventLoop {
    const { scheduler } = this.#world;
    const due = (run: () => void): void => {
      if (boot !== this.#boots || !this.isUp) return;
      if (this.#deferred !== undefined) this.#deferred.push(run);
      else run();
    };
    return {
      nowUs: () => this.nowUs(),
      dateMs: () => this.dateMs(),
      soon: (run) => void scheduler.after(this.#options.turnUs * 1000, () => due(run)),
      after: (delayMs, run) => {
        if (delayMs >= NEVER_MS) return { cancel: () => {}, unref: () => {} };
        const event = scheduler.after((Math.max(0, delayMs) * 1e6) / this.#speed, () => {
          due(run);
          this.#world.applicationRan();
        });
        return { cancel: () => scheduler.cancel(event), unref: () => {} };
      },
      uncaught: (cause) => this.#world.failed(cause),
    };
  }

  #start(application: Application): void {
    const started = application(this.demikernel, this);
    this.#world.applicationRan();
    if (started instanceof Promise) started.catch((cause) => this.#world.failed(cause));
  }

  #pollLater(libos: SimulatedLibOs): void {
    this.#retry ??= this.#world.scheduler.after(BLOCKED_RETRY_NS, () => {
      this.#retry = undefined;
      libos.wake();
    });
  }

  #block(timeoutMs: number, woken: () => boolean): void {
    const { scheduler } = this.#world;
    const delayNs = (timeoutMs * 1e6) / this.#speed;
    this.#world.runNested(scheduler.nowNs + Math.ceil(delayNs), woken);
  }

  #down(): never {
    throw new DemibunError({
      operation: "host",
      errno: ERRNO_EINVAL,
      detail: `host ${this.name} is down`,
      hint: "call boot() on it first",
    });
  }
}
