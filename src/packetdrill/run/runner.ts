/** Runs a script's events one after the other against a system under test. */
import { errnoName } from "../language/constants";
import { CodeEvaluator } from "../language/evaluate";
import type {
  CodeAction,
  CommandAction,
  Event,
  PacketAction,
  Script,
  SystemCallAction,
  TimeSpec,
} from "../language/script";
import { printEvent } from "../language/print";
import { ScriptError } from "../language/script-error";
import { type BegunCall, type Call, type Target, UnsupportedError } from "../targets/target";
import { resolveCall } from "./call-arguments";
import { compareResult, makesDescriptor } from "./call-results";
import { Descriptors } from "./descriptors";
import { Expectation } from "./expectation";
import { Flows } from "./flow";
import { packetBytes } from "./inject";
import { isOperation, Operations } from "./operations";
import type { RunOptions } from "./options";
import { contrast, ExpectationError, expectedLine, failureText, lateness } from "./report";
import { ArgumentError, numberOf } from "./values";
import { Wire } from "./wire";

/** How long a call that the script does not let block may take. */
const CALL_PATIENCE_US = 2_000_000;

interface PendingCall {
  readonly event: Event;
  readonly action: SystemCallAction;
  readonly call: Call;
  readonly begun: BegunCall;
  readonly baseUs: number;
  readonly endUs: number;
}

export class Runner {
  readonly notes: string[] = [];
  readonly wire: Wire;
  readonly #script: Script;
  readonly #options: RunOptions;
  readonly #target: Target;
  readonly #flows: Flows;
  readonly #expectation: Expectation;
  readonly #descriptors = new Descriptors();
  readonly #code = new CodeEvaluator();
  readonly #operations: Operations;
  #pending: PendingCall[] = [];
  /** What relative times are counted from. */
  #baseUs = 0;
  /** How late our own last step was done: always 0 in virtual time. */
  #lagUs = 0;
  /** The system's descriptor of the socket under test. */
  #socketUnderTest: number | undefined;

  constructor(script: Script, options: RunOptions, target: Target) {
    this.#script = script;
    this.#options = options;
    this.#target = target;
    this.#flows = new Flows(options);
    this.wire = new Wire(target, this.#flows);
    this.#expectation = new Expectation(this.wire, this.#flows, options, script.dialect);
    this.#operations = new Operations(target, this.#descriptors);
  }

  get #toleranceUs(): number {
    return this.#options.toleranceUs ?? this.#target.toleranceUs;
  }

  /** By how much the system under test may miss a time. */
  get #slackUs(): number {
    return this.#toleranceUs + this.#lagUs;
  }

  /** Throws `ExpectationError`, `ScriptError` or `UnsupportedError` at the first that fails. */
  async run(): Promise<void> {
    for (const event of this.#script.events) {
      try {
        await this.#event(event);
      } catch (error) {
        if (!this.#isForgiven(event, error)) throw located(event, error);
        this.notes.push(`line ${event.position.line}: ${(error as Error).message} (non-fatal)`);
      }
    }
    await this.#finishCalls(Number.POSITIVE_INFINITY);
    await this.#checkSurplus();
  }

  #isForgiven({ action }: Event, error: unknown): boolean {
    if (!(error instanceof ExpectationError)) return false;
    const kind = action.kind === "systemCall" ? "syscall" : action.kind;
    return this.#options.nonFatal.has(kind);
  }

  async #event(event: Event): Promise<void> {
    const { action, time } = event;
    if (action.kind === "packet" && action.direction === "outbound") {
      await this.#expect(event, action);
      return;
    }
    const startUs = this.#start(time);
    await this.#target.sleepUntil(startUs);
    await this.#finishCalls(startUs);
    const baseUs = this.#baseUs;
    const shiftUs = this.#anchor(startUs);
    await this.#act(event, baseUs + shiftUs);
    // What the system does about it may be as late as we were.
    this.#lagUs = Math.max(0, this.#target.nowUs() - this.#baseUs);
  }

  /**
   * What is ours to time is counted from when it was due, so that small delays do not add up; what
   * is later than the tolerance shifts all that follows. Returns by how much.
   */
  #anchor(startUs: number): number {
    const lateUs = this.#target.nowUs() - startUs;
    const shiftUs = lateUs > this.#toleranceUs ? lateUs : 0;
    this.#baseUs = startUs + shiftUs;
    if (shiftUs > 0) {
      this.#pending = this.#pending.map((call) => ({ ...call, endUs: call.endUs + shiftUs }));
    }
    return shiftUs;
  }

  async #act(event: Event, baseUs: number): Promise<void> {
    const { action } = event;
    if (action.kind === "packet") this.#inject(action);
    else if (action.kind === "systemCall") await this.#systemCall(event, action, baseUs);
    else if (action.kind === "command") await this.#command(action);
    else this.#runCode(action);
  }

  /** When something that the script does is due. */
  #start(time: TimeSpec): number {
    if (time.kind === "absolute") return time.us;
    if (time.kind === "relative") return this.#baseUs + time.us;
    throw new ArgumentError("only an expected packet may come at any time or in a range");
  }

  #inject(action: PacketAction): void {
    const flow = this.#flows.ofScript(action);
    if (action.ports === undefined || this.#flows.current === undefined) this.#flows.current = flow;
    this.wire.inject(packetBytes(action, flow, this.#options), action);
  }

  async #expect(event: Event, action: PacketAction): Promise<void> {
    const baseUs = this.#baseUs;
    const seenUs = await this.#expectation.meet(event, action, baseUs, this.#slackUs);
    this.#baseUs = seenUs;
    this.#lagUs = 0;
    this.wire.forget();
  }

  async #command(action: CommandAction): Promise<void> {
    await this.#target.command(action.command);
  }

  #runCode(action: CodeAction): void {
    const fd = this.#socketUnderTest;
    const names = fd === undefined ? new Map<string, number>() : this.#target.snapshot(fd);
    for (const line of this.#code.run(action, names)) this.notes.push(line);
  }

  async #systemCall(event: Event, action: SystemCallAction, baseUs: number): Promise<void> {
    const isDemikernel = this.#script.dialect === "demikernel";
    if (isDemikernel && action.name === "wait") {
      this.#socketUnderTest = (await this.#operations.wait(event, action)) ?? this.#socketUnderTest;
      return;
    }
    const context = { options: this.#options, fd: this.#descriptors.toSystem };
    const call = resolveCall(action, context);
    this.#beforeCall(call);
    if (isDemikernel && isOperation(call)) {
      this.#operations.begin(action, call);
      return;
    }
    const begun = this.#target.begin(call);
    const isRelative = event.time.kind === "relative";
    const pending = { event, action, call, begun, baseUs, endUs: this.#target.nowUs() };
    if (action.endTimeUs !== undefined) {
      const endUs = action.endTimeUs + (isRelative ? baseUs : 0);
      this.#pending.push({ ...pending, endUs });
      return;
    }
    if (begun.result === undefined) {
      await this.#target.waitFor(begun, this.#target.nowUs() + CALL_PATIENCE_US);
    }
    this.#verify(pending);
  }

  #beforeCall(call: Call): void {
    if (call.name === "socket") this.#flows.socketMade();
    else if (call.name === "bind") this.#flows.bound(call.address.port);
    else if (call.name === "connect" && this.#flows.current?.knowsNumbers !== true) {
      this.#flows.connected(call.address.port);
    } else if (
      call.name === "send" &&
      call.pieces.some((piece) => piece.some((byte) => byte !== 0))
    ) {
      this.#expectation.expectsZeros = false;
    }
    if (call.name === "send" && call.address !== undefined && this.#flows.current === undefined) {
      this.#flows.connected(call.address.port);
    }
  }

  /**
   * Verifies blocking calls that have returned, and those that are too late at that time. One that
   * is due just then may be waiting for the very event that comes next.
   */
  async #finishCalls(untilUs: number): Promise<void> {
    const slackUs = this.#slackUs;
    const due = this.#pending.filter(
      ({ begun, endUs }) => begun.result !== undefined || endUs + slackUs < untilUs,
    );
    if (due.length === 0) return;
    this.#pending = this.#pending.filter((pending) => !due.includes(pending));
    for (const pending of due) {
      await this.#target.waitFor(pending.begun, pending.endUs + slackUs);
      this.#verify(pending);
    }
  }

  #verify(pending: PendingCall): void {
    const { event, action, call, begun, baseUs, endUs } = pending;
    const { result } = begun;
    if (result === undefined) {
      const until = action.endTimeUs === undefined ? "" : "still ";
      throw new ExpectationError(event.position, `${action.name} ${until}blocks`, [
        expectedLine(event),
      ]);
    }
    if (result.errno === 0) this.#nameDescriptors(action, call, result.value);
    if (result.errno === 0 && call.name === "close") this.#descriptors.forget(call.fd);
    const reason =
      compareResult(action, call, result, this.#descriptors.toScript) ??
      (action.endTimeUs === undefined ? undefined : timing(endUs, begun.returnedUs, this.#slackUs));
    if (reason === undefined) return;
    const value =
      makesDescriptor(call) && result.errno === 0
        ? this.#descriptors.toScript(result.value)
        : result.value;
    const errno = errnoOf(result.errno);
    const { errno: _, note: __, ...rest } = action;
    const actual: SystemCallAction = {
      ...rest,
      ...(action.endTimeUs === undefined
        ? {}
        : { endTimeUs: begun.returnedUs - (event.time.kind === "relative" ? baseUs : 0) }),
      result: { kind: "integer", value },
      ...(errno === undefined ? {} : { errno }),
    };
    const timeUs = event.time.kind === "absolute" ? event.time.us : this.#startOf(event, baseUs);
    throw new ExpectationError(event.position, reason, contrast(event, actual, timeUs, baseUs));
  }

  #startOf({ time }: Event, baseUs: number): number {
    return time.kind === "relative" ? baseUs + time.us : baseUs;
  }

  /** The script's name for a new descriptor is the number that it expects. */
  #nameDescriptors(action: SystemCallAction, call: Call, value: number): void {
    if (!makesDescriptor(call)) return;
    if (action.result !== undefined) {
      const script = numberOf(action.result);
      if (script >= 0 && !this.#descriptors.isOpen(script)) this.#descriptors.name(script, value);
    }
    if (call.name === "socket" || call.name === "accept") this.#socketUnderTest = value;
  }

  /** Packets that nothing in the script accounts for. */
  async #checkSurplus(): Promise<void> {
    if (!this.#options.isStrict) return;
    const last = this.#script.events.at(-1) as Event;
    const surplus = await this.wire.next(this.#target.nowUs() + this.#target.settleUs);
    if (surplus === undefined) return;
    this.#expectation.learn(surplus);
    this.wire.note(surplus);
    throw new ExpectationError(
      last.position,
      "a packet that nothing expects was sent by the end of the script",
      [`actual    ${this.wire.lastLine()}`, ...this.wire.recentLines()],
    );
  }
}

function timing(endUs: number, returnedUs: number, toleranceUs: number): string | undefined {
  const difference = lateness(endUs, endUs, returnedUs, toleranceUs);
  return difference === undefined ? undefined : `the call returned ${difference}`;
}

function errnoOf(errno: number): string | undefined {
  return errno === 0 ? undefined : (errnoName(errno) ?? `E${errno}`);
}

/** Errors that know no place get the event's. */
function located(event: Event, error: unknown): unknown {
  if (error instanceof ExpectationError || error instanceof ScriptError) return error;
  if (error instanceof UnsupportedError) {
    return new UnsupportedError(failureText(event.position, error.message, [printEvent(event)]));
  }
  if (!(error instanceof Error)) return error;
  return new ExpectationError(event.position, error.message, [expectedLine(event)]);
}
