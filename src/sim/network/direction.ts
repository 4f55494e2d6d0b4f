/**
 * One direction of a link. A frame's way: sent → rules → MTU and policer → queue and line → wire with
 * its faults → delivered. Each step that matters is told to the listeners once.
 */
import type { Random } from "../random";
import type { Event, Nanoseconds, Scheduler } from "../scheduler";
import type { Port, Station } from "../station";
import type { FrameEvent, FrameListener } from "../trace";
import { Codel } from "./codel";
import { DropTail } from "./drop-tail";
import { type Fate, type Faults, faultsOf } from "./faults";
import { ETHERNET_HEADER_BYTES } from "./frame-fields";
import { FrameLog } from "./frame-log";
import type { DirectionOptions } from "./options";
import type { Queue, QueueContext } from "./queue";
import { RateLimit } from "./rate-limit";
import { Red } from "./red";
import { RuleChain } from "./rule";
import { Wire } from "./wire";

const nsPerMs = 1e6;
/** Preamble and start 8, frame check sequence 4, gap 12 (IEEE 802.3). */
const overheadBytesUsual = 24;

interface DirectionContext {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly trace: FrameListener | undefined;
  /** `a>b`. */
  readonly name: string;
  readonly from: Station;
  readonly to: Station;
  /** The receiver's port of the link. */
  readonly arrivalPort: () => Port;
  readonly reverse: () => Direction;
}

function queueOf(options: DirectionOptions, context: QueueContext): Queue {
  const { queue = { kind: "drop-tail" } } = options;
  if (queue.kind === "red") return new Red(queue, context);
  return queue.kind === "codel" ? new Codel(queue, context) : new DropTail(queue, context);
}

export class Direction {
  /** `a>b`, behind the link's name where that was given. */
  readonly name: string;
  readonly rules: RuleChain;
  readonly #scheduler: Scheduler;
  readonly #log: FrameLog;
  readonly #faults: Faults | undefined;
  readonly #frameBytesMax: number;
  readonly #nsPerByte: number;
  readonly #overheadBytes: number;
  readonly #queue: Queue;
  readonly #wire: Wire;
  #rateLimit: RateLimit | undefined;
  #number = 0;
  /** When the line has sent the last bit it was given; not rounded, so that the rate is exact. */
  #lineFreeNs: Nanoseconds = 0;
  #lineEvent: Event | undefined;
  #isDown = false;

  constructor(context: DirectionContext, options: DirectionOptions) {
    const { scheduler, random, name, to, arrivalPort, reverse } = context;
    const { bandwidthBitsPerSecond = Number.POSITIVE_INFINITY, mtu, rateLimit } = options;
    this.name = name;
    this.#scheduler = scheduler;
    this.#log = new FrameLog(scheduler, { ...context, queuedBytes: () => this.queuedBytes });
    this.#faults = faultsOf(options, random);
    this.#frameBytesMax =
      mtu === undefined ? Number.POSITIVE_INFINITY : mtu + ETHERNET_HEADER_BYTES;
    this.#nsPerByte = 8e9 / bandwidthBitsPerSecond;
    this.#overheadBytes = options.overheadBytes ?? overheadBytesUsual;
    this.#rateLimit = rateLimit && new RateLimit(rateLimit);
    this.#queue = queueOf(options, {
      log: this.#log,
      random: random.split("queue"),
      bandwidthBitsPerSecond,
    });
    const receive = (frame: Uint8Array) => to.receive(frame, arrivalPort());
    this.#wire = new Wire(scheduler, this.#log, receive, options);
    this.rules = new RuleChain({
      direction: name,
      inject: (frame) => this.inject(frame),
      reply: (frame) => reverse().inject(frame),
    });
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** How many frames each thing has happened to. */
  get counts(): Readonly<Record<FrameEvent["what"], number>> {
    return this.#log.counts;
  }

  /** Frames that were sent and have neither arrived nor been dropped. */
  get framesInside(): number {
    return this.#queue.packets + this.#wire.frames;
  }

  /** Shows every event of this direction to a listener until it is disposed of. */
  listen(listener: FrameListener): Disposable {
    return this.#log.listen(listener);
  }

  /** Takes a frame from the sending station. */
  send(frame: Uint8Array): void {
    const fate = this.#accept(frame);
    if (this.#isDown) this.#log.drop(frame, "link down");
    else if (this.rules.length === 0) this.#admit(frame, fate);
    else this.#judge(frame, fate);
  }

  /** Takes a frame that a rule made: it meets no rule. */
  inject(frame: Uint8Array): void {
    const fate = this.#accept(frame, "a box");
    if (this.#isDown) this.#log.drop(frame, "link down");
    else this.#admit(frame, fate);
  }

  /** Loses everything inside, and whatever is sent from now on. */
  setDown(): void {
    const { nowNs } = this.#scheduler;
    this.#isDown = true;
    if (this.#lineEvent !== undefined) this.#scheduler.cancel(this.#lineEvent);
    this.#lineEvent = undefined;
    this.#lineFreeNs = nowNs;
    while (this.#queue.packets > 0) {
      const entry = this.#queue.shift(nowNs);
      if (entry !== undefined) this.#log.drop(entry.frame, "link down");
    }
    this.#wire.clear();
  }

  setUp(): void {
    this.#isDown = false;
  }

  /** Frames that reach the wire are lost while this is set. */
  setPartitioned(isPartitioned: boolean): void {
    this.#wire.isPartitioned = isPartitioned;
  }

  /** Ends every fault; delay, bandwidth, queue, MTU and permanent rules stay. */
  heal(): void {
    this.#isDown = false;
    this.#wire.isPartitioned = false;
    this.#faults?.heal();
    this.#rateLimit = undefined;
    this.rules.heal();
  }

  #accept(frame: Uint8Array, by?: string): Fate | undefined {
    this.#number++;
    this.#log.tell("sent", frame, undefined, by);
    return this.#faults?.draw(this.#number);
  }

  #judge(frame: Uint8Array, fate: Fate | undefined): void {
    const { nowNs } = this.#scheduler;
    const judgement = this.rules.judge(frame, nowNs, this.#number);
    if (judgement === undefined) this.#log.drop(frame, "rule");
    else if (judgement.deliverMs === undefined) this.#admit(judgement.frame, fate);
    else this.#wire.fly(judgement.frame, nowNs + judgement.deliverMs * nsPerMs);
  }

  #admit(frame: Uint8Array, fate: Fate | undefined): void {
    const { nowNs } = this.#scheduler;
    if (frame.length > this.#frameBytesMax) this.#log.drop(frame, "too big");
    else if (this.#rateLimit?.take(frame.length, nowNs) === false) {
      this.#log.drop(frame, "rate limit");
    } else if (this.#nsPerByte === 0) this.#wire.launch(frame, fate, nowNs);
    else this.#enqueue(frame, fate, nowNs);
  }

  #enqueue(frame: Uint8Array, fate: Fate | undefined, nowNs: Nanoseconds): void {
    const queue = this.#queue;
    const idle = this.#lineFreeNs <= nowNs && queue.packets === 0;
    if (idle && !queue.measures) {
      this.#transmit(frame, fate, nowNs);
    } else if (queue.push({ frame, fate, timeNs: nowNs })) {
      if (idle) this.#pump();
      else {
        this.#log.tell("queued", frame);
        if (this.#lineEvent === undefined) this.#awaitLine();
      }
    }
  }

  #awaitLine(): void {
    this.#lineEvent = this.#scheduler.at(this.#lineFreeNs, this.#pump);
  }

  /** Gives the line, when it is free, the next frame. */
  readonly #pump = (): void => {
    this.#lineEvent = undefined;
    const { nowNs } = this.#scheduler;
    while (this.#queue.packets > 0 && this.#lineFreeNs <= nowNs) {
      const entry = this.#queue.shift(nowNs);
      if (entry === undefined) break;
      // Who waited follows the frame before at once; who came now starts now.
      this.#transmit(entry.frame, entry.fate, Math.max(this.#lineFreeNs, entry.timeNs));
    }
    if (this.#queue.packets > 0) this.#awaitLine();
  };

  #transmit(frame: Uint8Array, fate: Fate | undefined, startNs: Nanoseconds): void {
    this.#lineFreeNs = startNs + (frame.length + this.#overheadBytes) * this.#nsPerByte;
    this.#wire.launch(frame, fate, this.#lineFreeNs);
  }
}
