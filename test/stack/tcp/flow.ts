/** A connection that always has something to send, and a peer that acknowledges round by round. */
import { Connections, type ConnectionView } from "../../../src/wasm/connections";
import type { StackOptions } from "../../../src/wasm/stack-options";
import { pattern } from "../packets";
import type { Lab } from "./lab";
import { accepted, type Peer, type PeerOptions } from "./peer";

export const mss = 1000;
/** RFC 6298 section 2.4: longer than a round trip with a loss in it. */
const rtoMinUs = 1_000_000;
const CHUNK = 100_000;
/** What is kept queued beyond what is acknowledged. */
const AHEAD = 1_500_000;

export class Flow {
  readonly lab: Lab;
  readonly peer: Peer;
  readonly qd: number;
  readonly view: ConnectionView;
  /** Flags of the peer's acknowledgments. */
  flags = "A";
  /** Bytes acknowledged. */
  acknowledged = 0;
  #pushed = 0;

  constructor(options: Partial<StackOptions> = {}, peer: PeerOptions = {}) {
    const sizes = { sendBufferBytes: 1 << 22, frames: 8192, ringEntries: 4096, rtoMinUs };
    const opened = accepted({ mss, scale: 7, ...peer }, { ...sizes, ...options });
    this.lab = opened.lab;
    this.peer = opened.peer;
    this.qd = opened.qd;
    this.view = new Connections(this.lab.host.stack).of(this.qd) as ConnectionView;
  }

  get seconds(): number {
    return this.lab.host.nowUs / 1e6;
  }

  /** Bytes sent and not acknowledged. */
  get flight(): number {
    return (this.view.sendMax - this.view.sendUna) >>> 0;
  }

  /** Queues more, as an application does that always has something. */
  fill(): void {
    while (this.#pushed < this.acknowledged + AHEAD) this.write(CHUNK);
  }

  write(bytes: number): void {
    this.lab.push(this.qd, pattern(bytes));
    this.#pushed += bytes;
    this.peer.take();
  }

  acknowledge(bytes: number): void {
    this.acknowledged += bytes;
    this.peer.inject(this.flags, { seq: 1, ack: 1 + this.acknowledged });
    this.peer.take();
  }

  /**
   * After `roundTripUs` acknowledges everything in flight, two segments at a time, and calls `after`
   * for each acknowledgment with its bytes and the window before it.
   */
  round(roundTripUs: number, after?: (bytes: number, cwndBefore: number) => void): void {
    this.lab.host.advance(roundTripUs, roundTripUs / 4);
    for (let left = this.flight; left > 0;) {
      const bytes = Math.min(left, 2 * mss);
      const { cwnd } = this.view;
      this.acknowledge(bytes);
      after?.(bytes, cwnd);
      left -= bytes;
    }
  }

  /** Loses the segment at SND.UNA: three duplicates, then everything is acknowledged. */
  lose(roundTripUs: number): void {
    this.lab.host.advance(roundTripUs, roundTripUs / 4);
    for (let index = 0; index < 3; index++) this.acknowledge(0);
    this.lab.host.advance(roundTripUs, roundTripUs / 4);
    this.acknowledge(this.flight);
  }
}

/** Lets the retransmission timer expire once. */
export function timeOut(flow: Flow): void {
  const { backoff } = flow.view;
  for (let step = 0; step < 300 && flow.view.backoff === backoff; step++) flow.lab.advance(5, 5);
  flow.peer.take();
}
