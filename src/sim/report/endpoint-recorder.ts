/** One end of a TCP connection: what it sends, what comes back, and what its record holds. */
import type { DropReason, FrameEvent } from "../trace";
import { TCP_ACK, TCP_FIN, TCP_SYN, type Packet, type TcpHeader } from "../../packet/types";
import type { ConnectionView, TcpState } from "../../wasm/connections";
import { Series, type SeriesData } from "./series";
import { type SpanData, Spans } from "./spans";

/** Counted from 0 at the initial sequence number; bytes. */
export interface EndpointData {
  /** New data, SYN and FIN included, as this end sent them. */
  readonly sent: SpanData;
  /** What had been sent before. */
  readonly resent: SpanData;
  /** Segments of this end that were dropped, wherever that was. */
  readonly lost: SpanData;
  readonly lostReasons: readonly DropReason[];
  /** ECN marks, damage, copies and detours that segments of this end met. */
  readonly touched: SpanData;
  readonly touchedHow: readonly FrameEvent["what"][];
  /** SACK blocks of the peer as they came. */
  readonly sacked: SpanData;
  /** SND.UNA. */
  readonly acknowledged: SeriesData;
  /** SND.UNA + SND.WND. */
  readonly windowEdge: SeriesData;
  readonly cwnd: SeriesData;
  readonly ssthresh: SeriesData;
  /** SND.MAX − SND.UNA. */
  readonly inFlight: SeriesData;
  readonly srttMs: SeriesData;
  /** With back-off. */
  readonly rtoMs: SeriesData;
  /** Bytes in order that the application has not taken. */
  readonly receiveQueued: SeriesData;
  /** RCV.WND as announced. */
  readonly receiveWindow: SeriesData;
  /** Frames held beyond RCV.NXT. */
  readonly reassembly: SeriesData;
  readonly states: readonly { readonly timeMs: number; readonly state: TcpState }[];
}

const statesMax = 64;
const rtoMaxMs = 120_000;
/** RFC 5681 lets ssthresh start arbitrarily high: that is no value to plot. */
const ssthreshMax = 0x3fffffff;

type Touch = Exclude<FrameEvent["what"], "sent" | "queued" | "dropped" | "delivered">;

export class EndpointRecorder {
  readonly #iss: number;
  readonly #sent: Spans;
  readonly #resent: Spans;
  readonly #sacked: Spans;
  readonly #lost: { timeMs: number; start: number; end: number; reason: DropReason }[] = [];
  readonly #touched: { timeMs: number; start: number; end: number; how: Touch }[] = [];
  readonly #pointsMax: number;
  readonly #series: Readonly<Record<SeriesName, Series>>;
  readonly #states: { timeMs: number; state: TcpState }[] = [];
  #lostTotal = 0;
  #touchedTotal = 0;
  #highest = 0;
  #acknowledgedMax = 0;
  /** TCP segments sent, empty ones included. */
  segments = 0;
  /** Bytes of data sent, each counted once. */
  bytes = 0;

  constructor(iss: number, pointsMax: number) {
    this.#iss = iss;
    this.#pointsMax = pointsMax;
    this.#sent = new Spans(pointsMax);
    this.#resent = new Spans(pointsMax);
    this.#sacked = new Spans(pointsMax);
    this.#series = Object.fromEntries(
      seriesNames.map((name) => [name, new Series(pointsMax)]),
    ) as Record<SeriesName, Series>;
  }

  /** Sequence numbers of another incarnation of the same addresses and ports do not belong here. */
  isOf(iss: number): boolean {
    return iss === this.#iss;
  }

  /** A segment enters this end's link. */
  send(timeMs: number, packet: Packet, tcp: TcpHeader): void {
    this.segments++;
    const { start, end } = this.#range(tcp, packet.payload.length);
    if (start === end) return;
    const isSyn = (tcp.flags & TCP_SYN) !== 0;
    // Data begins after the SYN's sequence number.
    const dataEnd = start + packet.payload.length - (isSyn ? 0 : 1);
    this.bytes = Math.max(this.bytes, dataEnd);
    if (start < this.#highest) this.#resent.add(timeMs, start, end);
    else this.#sent.add(timeMs, start, end);
    this.#highest = Math.max(this.#highest, end);
  }

  /** A segment of this end goes no further. */
  lose(timeMs: number, packet: Packet, tcp: TcpHeader, reason: DropReason): void {
    if (this.#lostTotal++ >= this.#pointsMax) return;
    this.#lost.push({ timeMs, ...this.#range(tcp, packet.payload.length), reason });
  }

  /** Something befell a segment of this end on its way. */
  touch(timeMs: number, packet: Packet, tcp: TcpHeader, how: Touch): void {
    if (this.#touchedTotal++ >= this.#pointsMax) return;
    this.#touched.push({ timeMs, ...this.#range(tcp, packet.payload.length), how });
  }

  /** A segment of the peer arrives here. */
  receive(timeMs: number, tcp: TcpHeader): void {
    if ((tcp.flags & TCP_ACK) !== 0) {
      const acknowledged = this.#relative(tcp.acknowledgment);
      if (acknowledged <= this.#highest) {
        this.#acknowledgedMax = Math.max(this.#acknowledgedMax, acknowledged);
      }
    }
    for (const option of tcp.options) {
      if (option.kind !== "sack") continue;
      for (const { left, right } of option.blocks) {
        this.#sacked.add(timeMs, this.#relative(left), this.#relative(right));
      }
    }
  }

  /** The stack has run: looks at the record. */
  look(timeMs: number, connection: ConnectionView): void {
    if (this.#states.at(-1)?.state !== connection.state && this.#states.length < statesMax) {
      this.#states.push({ timeMs, state: connection.state });
    }
    const una = this.#relative(connection.sendUna);
    const add = (name: SeriesName, value: number) => this.#series[name].add(timeMs, value);
    add("acknowledged", una);
    add("inFlight", (connection.sendMax - connection.sendUna) >>> 0);
    add("receiveQueued", connection.receiveQueued);
    add("reassembly", connection.reassemblyCount);
    add("rtoMs", Math.min(rtoMaxMs, (connection.rtoUs / 1000) * 2 ** connection.backoff));
    if (connection.srttUs > 0) add("srttMs", connection.srttUs / 1000);
    if (connection.cwnd > 0) add("cwnd", connection.cwnd);
    if (connection.ssthresh > 0 && connection.ssthresh < ssthreshMax)
      add("ssthresh", connection.ssthresh);
    if (connection.state === "SYN-SENT") return;
    // Nothing is known of windows before the peer has spoken.
    add("windowEdge", una + connection.sendWindow);
    add("receiveWindow", (connection.receiveEdge - connection.receiveNext) >>> 0);
  }

  /** The record is free again. */
  end(timeMs: number): void {
    if (this.#states.at(-1)?.state === "CLOSED") return;
    this.#states.push({ timeMs, state: "CLOSED" });
    this.#series.inFlight.add(timeMs, 0);
    // The segment that acknowledges the FIN ends the record before anybody can look at it.
    this.#series.acknowledged.add(timeMs, this.#acknowledgedMax);
  }

  data(pointsMax: number): EndpointData {
    const series = Object.fromEntries(
      seriesNames.map((name) => [name, this.#series[name].data(pointsMax)]),
    ) as Record<SeriesName, SeriesData>;
    const lost = this.#lost.slice(0, pointsMax);
    const touched = this.#touched.slice(0, pointsMax);
    return {
      sent: this.#sent.data(pointsMax),
      resent: this.#resent.data(pointsMax),
      sacked: this.#sacked.data(pointsMax),
      lost: columns(lost, this.#lostTotal),
      lostReasons: lost.map(({ reason }) => reason),
      touched: columns(touched, this.#touchedTotal),
      touchedHow: touched.map(({ how }) => how),
      ...series,
      states: this.#states,
    };
  }

  /** SYN and FIN take a sequence number each (RFC 9293 section 3.4). */
  #range(tcp: TcpHeader, length: number): { start: number; end: number } {
    const start = this.#relative(tcp.sequence);
    const syn = (tcp.flags & TCP_SYN) !== 0 ? 1 : 0;
    const fin = (tcp.flags & TCP_FIN) !== 0 ? 1 : 0;
    return { start, end: start + length + syn + fin };
  }

  /** Unwrapped: the value nearest to the highest sent so far. */
  #relative(sequence: number): number {
    const near = (this.#iss + this.#highest) | 0;
    return this.#highest + ((sequence - near) | 0);
  }
}

const seriesNames = [
  "acknowledged",
  "windowEdge",
  "cwnd",
  "ssthresh",
  "inFlight",
  "srttMs",
  "rtoMs",
  "receiveQueued",
  "receiveWindow",
  "reassembly",
] as const satisfies readonly (keyof EndpointData)[];
type SeriesName = (typeof seriesNames)[number];

function columns(
  spans: readonly { timeMs: number; start: number; end: number }[],
  total: number,
): SpanData {
  return {
    timesMs: spans.map(({ timeMs }) => timeMs),
    starts: spans.map(({ start }) => start),
    ends: spans.map(({ end }) => end),
    total,
  };
}
