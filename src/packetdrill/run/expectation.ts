/** Meets an expected packet with what the system sends. */
import type { Dialect, Event, PacketAction, TcpBody, TimeSpec } from "../language/script";
import { UnsupportedError } from "../targets/target";
import { actionOf, type Sighting } from "./actual";
import { comparePacket, isPart, packetProblem } from "./compare";
import type { Flows } from "./flow";
import type { RunOptions } from "./options";
import { contrast, duration, ExpectationError, expectedLine, lateness } from "./report";
import type { Wire } from "./wire";

/** How long past its time a packet is waited for, to tell how late it was. */
const PATIENCE_US = 2_000_000;
/** The longest wait for a packet that may come at any time: the largest retransmission timeout. */
const ANY_TIME_US = 130_000_000;

interface Span {
  readonly startUs: number;
  readonly endUs: number;
}

/** Of one piece of an expected packet. */
interface Circumstances {
  /** Bytes of the expected data that came before it. */
  readonly covered: number;
  /** What is wrong with its time. */
  readonly late: string | undefined;
  readonly toleranceUs: number;
}

export class Expectation {
  /** Payloads are zeros unless a call has sent something else. */
  expectsZeros = true;
  /** Bytes of the longest segment seen. */
  #longest = 0;
  readonly #wire: Wire;
  readonly #flows: Flows;
  readonly #options: RunOptions;
  readonly #dialect: Dialect;

  constructor(wire: Wire, flows: Flows, options: RunOptions, dialect: Dialect) {
    this.#dialect = dialect;
    this.#wire = wire;
    this.#flows = flows;
    this.#options = options;
  }

  /** Waits for the packet, in one piece or several; returns when it was sent, or throws. */
  async meet(
    event: Event,
    action: PacketAction,
    baseUs: number,
    usualToleranceUs: number,
  ): Promise<number> {
    if (action.outerHeaders.length > 0 || action.pspSpi !== undefined) {
      throw new UnsupportedError("encapsulated packets cannot be run, only read");
    }
    // Demikernel's scripts give times to begin at, and options that their stack cannot choose.
    const isDemikernel = this.#dialect === "demikernel";
    const span = spanOf(isDemikernel ? { kind: "any" } : event.time, baseUs);
    const percent = (this.#options.tolerancePercent / 100) * (span.endUs - baseUs);
    const toleranceUs = Math.max(usualToleranceUs, Number.isFinite(percent) ? percent : 0);
    let covered = 0;
    for (;;) {
      const untilUs = Number.isFinite(span.endUs)
        ? span.endUs + toleranceUs + PATIENCE_US
        : baseUs + ANY_TIME_US;
      const sighting = await this.#wire.next(untilUs);
      if (sighting === undefined) throw this.#missing(event, action, covered, untilUs - baseUs);
      const wanted = remainder(isDemikernel ? withAnyOptions(action) : action, covered);
      this.learn(sighting, wanted);
      this.#wire.note(sighting);
      if (this.#isOverlooked(sighting, action)) continue;
      const late = lateness(span.startUs, span.endUs, sighting.timeUs, toleranceUs);
      const part = this.#check(event, wanted, sighting, baseUs, { covered, late, toleranceUs });
      if (part === 0) return sighting.timeUs;
      covered += part;
    }
  }

  /** The original looks at no packets of a socket once the script has made another one. */
  #isOverlooked({ flow }: Sighting, { ports }: PacketAction): boolean {
    return !this.#options.isStrict && flow?.isFormer === true && ports === undefined;
  }

  /** Learns from a packet what the system chose: its first sequence number, its port. */
  learn(sighting: Sighting, wanted?: PacketAction): void {
    const { flow, packet } = sighting;
    if (flow === undefined) return;
    const { ports } = wanted ?? {};
    if (
      ports !== undefined &&
      !flow.knowsNumbers &&
      flow.scriptLocalPort === undefined &&
      ports.destination === flow.remotePort
    ) {
      flow.scriptLocalPort = ports.source;
    }
    const { tcp } = packet;
    if (tcp === undefined) return;
    const script = wanted?.body.kind === "tcp" ? wanted.body.sequence : undefined;
    flow.learn(tcp.flags, tcp.sequence, script);
  }

  /** Bytes of a piece after which more has to follow; 0 when the packet is the whole expectation. */
  #check(
    event: Event,
    wanted: PacketAction,
    sighting: Sighting,
    baseUs: number,
    { covered, late, toleranceUs }: Circumstances,
  ): number {
    const { flow, packet } = sighting;
    const isOther = wanted.ports === undefined && flow !== this.#flows.current;
    const actual = actionOf(sighting, wanted, wanted.ports !== undefined || isOther);
    const isPartial =
      !this.#options.strictSegments && isPiece(wanted.body, actual.body, packet.tcp);
    const difference =
      packetProblem(sighting) ??
      (isOther ? "the packet belongs to another connection" : undefined) ??
      comparePacket(wanted, actual, {
        isPartial,
        forgivesPush: !this.#options.isStrict && (covered > 0 || this.#isFull(packet.payload)),
      }) ??
      this.#timestampProblem(wanted, sighting, toleranceUs) ??
      this.#payloadProblem(packet.payload, actual);
    if (difference !== undefined || late !== undefined) {
      const words = [
        ...(difference === undefined ? [] : [difference]),
        ...(covered === 0 ? [] : [`after ${covered} bytes of the expected data`]),
        ...(late === undefined ? [] : [`the packet was sent ${late}`]),
      ];
      throw this.#failure(event, words.join("; "), sighting, actual, baseUs);
    }
    return isPartial && actual.body.kind === "tcp" ? actual.body.length : 0;
  }

  /** Says whether a segment is as long as any has been. */
  #isFull({ length }: Uint8Array): boolean {
    this.#longest = Math.max(this.#longest, length);
    return length > 0 && length === this.#longest;
  }

  #payloadProblem(payload: Uint8Array, actual: PacketAction): string | undefined {
    if (!this.expectsZeros || actual.body.kind === "icmp") return undefined;
    const at = payload.findIndex((byte) => byte !== 0);
    return at < 0 ? undefined : `byte ${at} of the payload is ${payload[at]}, should be 0`;
  }

  /** A timestamp's value is as far from the first as time is, in ticks. */
  #timestampProblem(
    wanted: PacketAction,
    { packet, flow }: Sighting,
    toleranceUs: number,
  ): string | undefined {
    if (wanted.body.kind !== "tcp" || wanted.body.options === "any") return undefined;
    const expected = wanted.body.options.find(({ kind }) => kind === "timestamp");
    const actual = packet.tcp?.options.find(({ kind }) => kind === "timestamp");
    if (expected?.kind !== "timestamp" || actual?.kind !== "timestamp") return undefined;
    if (expected.value === "any" || flow === undefined) return undefined;
    const tickUs = this.#options.timestampTickUs;
    const value = flow.timestampToScript(actual.value);
    const isKnown = flow.knowsTimestamps;
    flow.noteTimestamp(expected.value, actual.value);
    if (!isKnown || tickUs === 0) return undefined;
    if (Math.abs((value - expected.value) | 0) * tickUs <= toleranceUs + tickUs) return undefined;
    return `the timestamp is ${value}, should be ${expected.value}`;
  }

  #missing(event: Event, action: PacketAction, covered: number, waitedUs: number) {
    const { body } = action;
    const what =
      covered > 0 && body.kind === "tcp"
        ? `only ${covered} of ${body.length} bytes were sent`
        : "the packet was not sent";
    return new ExpectationError(event.position, `${what} within ${duration(waitedUs)}`, [
      expectedLine(event),
      ...this.#wire.recentLines(),
    ]);
  }

  #failure(
    event: Event,
    reason: string,
    sighting: Sighting,
    actual: PacketAction,
    baseUs: number,
  ): ExpectationError {
    const recent = this.#wire.recentLines();
    return new ExpectationError(event.position, reason, [
      ...contrast(event, actual, sighting.timeUs, baseUs),
      // One line would only repeat the packet itself.
      ...(recent.length > 2 ? recent : []),
    ]);
  }
}

function spanOf(time: TimeSpec, baseUs: number): Span {
  switch (time.kind) {
    case "any":
      return { startUs: 0, endUs: Number.POSITIVE_INFINITY };
    case "absolute":
      return { startUs: time.us, endUs: time.us };
    case "relative":
      return { startUs: baseUs + time.us, endUs: baseUs + time.us };
    case "absoluteRange":
      return { startUs: time.startUs, endUs: time.endUs };
    case "relativeRange":
      return { startUs: baseUs + time.startUs, endUs: baseUs + time.endUs };
  }
}

function withAnyOptions(action: PacketAction): PacketAction {
  const { body } = action;
  return body.kind === "tcp" ? { ...action, body: { ...body, options: "any" } } : action;
}

/** What is left to be sent of data of which pieces have been. */
function remainder(action: PacketAction, covered: number): PacketAction {
  const { body } = action;
  if (covered === 0 || body.kind !== "tcp") return action;
  const rest: TcpBody = {
    ...body,
    sequence: (body.sequence + covered) >>> 0,
    length: body.length - covered,
  };
  return { ...action, body: rest };
}

function isPiece(
  wanted: PacketAction["body"],
  actual: PacketAction["body"],
  tcp: Sighting["packet"]["tcp"],
): boolean {
  if (wanted.kind !== "tcp" || actual.kind !== "tcp" || tcp === undefined) return false;
  return isPart(wanted, tcp, actual.sequence, actual.length);
}
