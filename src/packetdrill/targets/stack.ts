/** The stack as the system under test, in virtual time. Runs wherever WebAssembly does. */
import {
  COUNTER_CONNECTIONS_OPEN,
  COUNTER_FRAMES_OUT,
  COUNTER_QUEUES_OPEN,
  COUNTER_TIMERS_ARMED,
  COUNTER_TOKENS_OUT,
  SOCKET_OPTION_LINGER,
} from "../../../assembly/layout";
import { type StackOptions, writeStackWords } from "../../wasm/stack-options";
import { StackCalls } from "./stack-calls";
import { tcpInfo } from "./stack-info";
import { StackMachine } from "./stack-machine";
import { type ProfileName, profiles } from "./stack-profiles";
import { settingsOf } from "./stack-settings";
import {
  type BegunCall,
  type Call,
  type ReadFile,
  type SentPacket,
  type Target,
  type TargetOptions,
  UnsupportedError,
} from "./target";

/** Longer than any connection lives that nobody answers. */
const QUIET_US = 2_000_000_000;

const gauges = [
  ["frames", COUNTER_FRAMES_OUT],
  ["connections", COUNTER_CONNECTIONS_OPEN],
  ["timers", COUNTER_TIMERS_ARMED],
  ["tokens", COUNTER_TOKENS_OUT],
  ["queues", COUNTER_QUEUES_OPEN],
] as const;

/** What the memory was planned by. */
const fixedSettings: ReadonlySet<string> = new Set(["connections", "frames"]);

/** Linux keeps Fast Open's cookies among its metrics. */
const FORGETS_SERVERS = /\bip\s+tcp_metrics\s+flush\b/;

interface Running {
  readonly machine: StackMachine;
  readonly calls: StackCalls;
}

export class StackTarget implements Target {
  readonly name = "the stack";
  readonly toleranceUs = 4000;
  /** Beyond a delayed acknowledgment, short of a retransmission. */
  readonly settleUs = 60_000;
  /** Once disposed: the pools of which something is still out, which says that it leaked. */
  leftovers: readonly string[] = [];
  readonly #module: WebAssembly.Module;
  readonly #options: TargetOptions;
  readonly #readFile: ReadFile;
  #settings: StackOptions;
  #running: Running | undefined;

  /**
   * `module` is the compiled stack; `readFile` reads what the script's commands run. Throws
   * `UnsupportedError` for IPv6.
   */
  constructor(
    module: WebAssembly.Module,
    profile: ProfileName,
    options: TargetOptions,
    readFile: ReadFile = () => undefined,
  ) {
    if (options.ipVersion === 6) throw new UnsupportedError("this stack has no IPv6 yet");
    this.#module = module;
    this.#options = options;
    this.#readFile = readFile;
    this.#settings = profiles[profile];
  }

  /** Sizes of pools are fixed when the stack opens; other settings hold from now on. */
  async command(text: string): Promise<void> {
    const settings = settingsOf(text, this.#readFile);
    const next = { ...this.#settings, ...settings };
    const changed = Object.keys(settings).filter(
      (key) => next[key as keyof StackOptions] !== this.#settings[key as keyof StackOptions],
    );
    this.#settings = next;
    if (this.#running === undefined) return;
    const fixed = changed.filter((key) => fixedSettings.has(key));
    if (fixed.length > 0) {
      throw new UnsupportedError(
        `${fixed.join(", ")} of this stack can only be set before time zero`,
      );
    }
    const { stack } = this.#running.machine;
    writeStackWords(stack.memory, next);
    if (changed.includes("fastOpenKeys")) stack.setFastOpenKeys(next.fastOpenKeys as string);
    if (FORGETS_SERVERS.test(text)) stack.exports.fastOpenForget();
  }

  async start(): Promise<void> {
    const machine = new StackMachine(this.#module, this.#settings, this.#options);
    // The announcement of the address is nobody's business here.
    machine.nextPacket(0);
    this.#running = { machine, calls: new StackCalls(machine) };
  }

  get #machine(): StackMachine {
    return this.#started().machine;
  }

  #started(): Running {
    if (this.#running === undefined) throw new Error("the target has not been started");
    return this.#running;
  }

  nowUs(): number {
    return this.#machine.nowUs;
  }

  inject(packet: Uint8Array): void {
    this.#machine.inject(packet);
  }

  async nextPacket(untilUs: number): Promise<SentPacket | undefined> {
    return this.#machine.nextPacket(untilUs);
  }

  async sleepUntil(us: number): Promise<void> {
    this.#machine.advance(us);
  }

  async waitFor(call: BegunCall, untilUs: number): Promise<void> {
    this.#machine.advanceWhile(() => call.result === undefined, untilUs);
  }

  begin(call: Call): BegunCall {
    return this.#started().calls.begin(call);
  }

  snapshot(fd: number): ReadonlyMap<string, number> {
    const { calls, machine } = this.#started();
    const stream = calls.stream(fd);
    if (stream === undefined) return new Map();
    stream.note(machine.nowUs);
    const { delayedAckUs } = this.#settings;
    return tcpInfo(stream, { delayedAckUs, nowUs: machine.stackNowUs, mtu: this.#options.mtu });
  }

  /** Closes what the script left open, lets every timer run out, and looks into the pools. */
  async [Symbol.asyncDispose](): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    const { machine, calls } = running;
    for (const fd of calls.open) {
      const stream = calls.stream(fd);
      if (stream !== undefined) {
        machine.stack.exports.setOption(stream.qd, SOCKET_OPTION_LINGER, 0);
        stream.lingerSeconds = 0;
      }
      calls.begin({ name: "close", fd });
    }
    machine.advance(machine.nowUs + QUIET_US);
    machine.stack.exports.measure();
    this.leftovers = gauges
      .filter(([, index]) => machine.stack.counter(index) !== 0)
      .map(([name]) => name);
    machine[Symbol.dispose]();
  }
}
