/**
 * One direction of a link. A frame's way: sent → rules → MTU and policer → queue and line → wire with
 * its faults → delivered. Each step that matters is told to the listeners once.
 */
import type { Random } from "../random";
import type { Event, Nanoseconds, Scheduler } from "../scheduler";
import type { Port, Station } from "../station";
import type { DropReason, FrameEvent, FrameListener } from "../trace";
import { Codel } from "./codel";
import { corrupt } from "./corruption";
import { constantDelay } from "./delay";
import { DropTail } from "./drop-tail";
import { type Fate, type Faults, faultsOf } from "./faults";
import { ETHERNET_HEADER_BYTES } from "./frame-fields";
import { InFlight } from "./in-flight";
import type { DirectionOptions } from "./options";
import type { Queue, QueueContext } from "./queue";
import { RateLimit } from "./rate-limit";
import { Red } from "./red";
import { RuleChain, type RuleContext } from "./rule";

const nsPerMs = 1e6;
/** Preamble and start 8, frame check sequence 4, gap 12 (IEEE 802.3). */
const overheadBytesUsual = 24;
const holdMsUsual = 100;

export interface DirectionContext {
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
  readonly name: string;
  readonly rules = new RuleChain();
  /** How many frames each thing has happened to. */
  readonly counts: Record<FrameEvent["what"], number> = {
    sent: 0,
    queued: 0,
    dropped: 0,
    duplicated: 0,
    corrupted: 0,
    reordered: 0,
    truncated: 0,
    marked: 0,
    delivered: 0,
  };
  readonly #context: DirectionContext;
  readonly #scheduler: Scheduler;
  readonly #options: DirectionOptions;
  #listeners: readonly FrameListener[];
  readonly #faults: Faults | undefined;
  readonly #delayNs: Nanoseconds;
  readonly #frameBytesMax: number;
  #rateLimit: RateLimit | undefined;
  readonly #nsPerByte: number;
  readonly #overheadBytes: number;
  readonly #queue: Queue;
  readonly #flight = new InFlight();
  readonly #ruleContext: RuleContext & { nowNs: Nanoseconds; number: number };
  #number = 0;
  /** When the line has sent the last bit it was given; not rounded, so that the rate is exact. */
  #lineFreeNs: Nanoseconds = 0;
  /** The latest arrival of a frame that must not be overtaken. */
  #latestNs: Nanoseconds = 0;
  #lineEvent: Event | undefined;
  #arrivalEvent: Event | undefined;
  #held: { readonly frame: Uint8Array; readonly timeNs: Nanoseconds; event: Event } | undefined;
  #down = false;
  #partitioned = false;

  constructor(context: DirectionContext, options: DirectionOptions) {
    const { scheduler, random, trace, name, reverse } = context;
    const { bandwidthBitsPerSecond = Number.POSITIVE_INFINITY, mtu, rateLimit } = options;
    this.name = name;
    this.#context = context;
    this.#scheduler = scheduler;
    this.#options = options;
    this.#listeners = trace === undefined ? [] : [trace];
    this.#faults = faultsOf(options, random);
    this.#delayNs = constantDelay(options.delayMs ?? 0) ?? 0;
    this.#frameBytesMax =
      mtu === undefined ? Number.POSITIVE_INFINITY : mtu + ETHERNET_HEADER_BYTES;
    this.#rateLimit = rateLimit && new RateLimit(rateLimit);
    this.#nsPerByte = 8e9 / bandwidthBitsPerSecond;
    this.#overheadBytes = options.overheadBytes ?? overheadBytesUsual;
    this.#queue = queueOf(options, {
      listener: {
        dropped: (frame, reason) => this.#drop(frame, reason),
        marked: (frame) => this.#tell("marked", frame, context.from),
      },
      random: random.split("queue"),
      bandwidthBitsPerSecond,
    });
    this.#ruleContext = {
      direction: name,
      nowNs: 0,
      number: 0,
      inject: (frame) => this.inject(frame),
      reply: (frame) => reverse().inject(frame),
    };
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** Frames that were sent and have neither arrived nor been dropped. */
  get framesInside(): number {
    return this.#queue.packets + this.#flight.length + (this.#held === undefined ? 0 : 1);
  }

  /** Shows every event of this direction to a listener until it is disposed of. */
  listen(listener: FrameListener): Disposable {
    this.#listeners = [...this.#listeners, listener];
    return {
      [Symbol.dispose]: () => {
        this.#listeners = this.#listeners.filter((other) => other !== listener);
      },
    };
  }

  /** Takes a frame from the sending station. */
  send(frame: Uint8Array): void {
    const fate = this.#accept(frame);
    if (this.#down) return this.#drop(frame, "link down");
    if (this.rules.length === 0) return this.#admit(frame, fate);
    this.#ruleContext.nowNs = this.#scheduler.nowNs;
    this.#ruleContext.number = this.#number;
    const judgement = this.rules.judge(frame, this.#ruleContext);
    if (judgement === undefined) return this.#drop(frame, "rule");
    const { deliverMs } = judgement;
    if (deliverMs === undefined) return this.#admit(judgement.frame, fate);
    this.#fly(judgement.frame, this.#scheduler.nowNs + deliverMs * nsPerMs);
  }

  /** Takes a frame that a rule made: it meets no rule. */
  inject(frame: Uint8Array): void {
    const fate = this.#accept(frame);
    if (this.#down) return this.#drop(frame, "link down");
    this.#admit(frame, fate);
  }

  /** Loses everything inside, and whatever is sent from now on. */
  setDown(): void {
    this.#down = true;
    for (const event of [this.#lineEvent, this.#arrivalEvent, this.#held?.event]) {
      if (event !== undefined) this.#scheduler.cancel(event);
    }
    this.#lineEvent = undefined;
    this.#arrivalEvent = undefined;
    const { nowNs } = this.#scheduler;
    while (this.#queue.packets > 0) {
      const entry = this.#queue.shift(nowNs);
      if (entry !== undefined) this.#drop(entry.frame, "link down");
    }
    while (this.#flight.length > 0) this.#drop(this.#flight.shift(), "link down");
    if (this.#held !== undefined) this.#drop(this.#held.frame, "link down");
    this.#held = undefined;
    this.#lineFreeNs = nowNs;
    this.#latestNs = nowNs;
  }

  setUp(): void {
    this.#down = false;
  }

  /** Frames that reach the wire are lost while this is set. */
  setPartitioned(partitioned: boolean): void {
    this.#partitioned = partitioned;
  }

  /** Ends every fault; delay, bandwidth, queue, MTU and permanent rules stay. */
  heal(): void {
    this.#down = false;
    this.#partitioned = false;
    this.#faults?.heal();
    this.#rateLimit = undefined;
    this.rules.heal();
  }

  #accept(frame: Uint8Array): Fate | undefined {
    this.#number++;
    this.#tell("sent", frame, this.#context.from);
    return this.#faults?.draw(this.#number);
  }

  #admit(frame: Uint8Array, fate: Fate | undefined): void {
    const { nowNs } = this.#scheduler;
    if (frame.length > this.#frameBytesMax) return this.#drop(frame, "too big");
    if (this.#rateLimit !== undefined && !this.#rateLimit.take(frame.length, nowNs)) {
      return this.#drop(frame, "rate limit");
    }
    if (this.#nsPerByte === 0) return this.#launch(frame, fate, nowNs);
    const queue = this.#queue;
    const idle = this.#lineFreeNs <= nowNs && queue.packets === 0;
    if (idle && !queue.measures) return this.#transmit(frame, fate, nowNs);
    if (!queue.push({ frame, fate, timeNs: nowNs })) return;
    if (idle) return this.#pump();
    this.#tell("queued", frame, this.#context.from);
    if (this.#lineEvent === undefined) this.#awaitLine();
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
      const startNs = entry.timeNs < nowNs ? Math.max(this.#lineFreeNs, entry.timeNs) : nowNs;
      this.#transmit(entry.frame, entry.fate, startNs);
    }
    if (this.#queue.packets > 0) this.#awaitLine();
  };

  #transmit(frame: Uint8Array, fate: Fate | undefined, startNs: Nanoseconds): void {
    this.#lineFreeNs = startNs + (frame.length + this.#overheadBytes) * this.#nsPerByte;
    this.#launch(frame, fate, this.#lineFreeNs);
  }

  /** Puts a frame on the wire, which its last bit enters at `departNs`. */
  #launch(frame: Uint8Array, fate: Fate | undefined, departNs: Nanoseconds): void {
    if (this.#partitioned) return this.#drop(frame, "partition");
    if (fate === undefined) {
      this.#latestNs = Math.max(this.#latestNs, departNs + this.#delayNs);
      return this.#fly(frame, this.#latestNs);
    }
    if (fate.lost) return this.#drop(frame, "loss");
    const damaged = this.#damage(frame, fate);
    const { jitterReorders = false } = this.#options;
    const drawnNs = departNs + fate.delayNs;
    const arrivalNs = jitterReorders ? drawnNs : Math.max(this.#latestNs, drawnNs);
    this.#place(damaged, fate, arrivalNs);
    for (let copy = 1; copy <= fate.copies; copy++) {
      const duplicate = damaged.slice();
      this.#tell("duplicated", duplicate, this.#context.from);
      this.#fly(duplicate, arrivalNs + copy * fate.copyDelayNs);
    }
  }

  #damage(frame: Uint8Array, { corruption, truncation }: Fate): Uint8Array {
    const { from } = this.#context;
    if (corruption !== undefined && corrupt(frame, corruption)) {
      this.#tell("corrupted", frame, from);
    }
    const bytesMin = this.#options.truncate?.bytesMin ?? ETHERNET_HEADER_BYTES;
    if (truncation === undefined || frame.length <= bytesMin) return frame;
    const kept = bytesMin + Math.floor(truncation * (frame.length - bytesMin));
    const truncated = frame.slice(0, kept);
    this.#tell("truncated", truncated, from);
    return truncated;
  }

  /** Gives a frame its place among the others: in order, late, or after its successor. */
  #place(frame: Uint8Array, fate: Fate, arrivalNs: Nanoseconds): void {
    const { from } = this.#context;
    if (fate.extraNs > 0) {
      this.#tell("reordered", frame, from);
      return this.#fly(frame, arrivalNs + fate.extraNs);
    }
    if (fate.swapped && this.#held === undefined) {
      this.#tell("reordered", frame, from);
      return this.#hold(frame, arrivalNs);
    }
    this.#latestNs = Math.max(this.#latestNs, arrivalNs);
    this.#fly(frame, arrivalNs);
    if (this.#held !== undefined) this.#release(this.#latestNs);
  }

  #hold(frame: Uint8Array, timeNs: Nanoseconds): void {
    const { reorder } = this.#options;
    const holdMs = reorder !== undefined && "swap" in reorder ? reorder.holdMs : undefined;
    const untilNs = timeNs + (holdMs ?? holdMsUsual) * nsPerMs;
    const event = this.#scheduler.at(untilNs, () => this.#release(untilNs));
    this.#held = { frame, timeNs, event };
  }

  /** Lets the held frame arrive, not before `timeNs`. */
  #release(timeNs: Nanoseconds): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#scheduler.cancel(held.event);
    this.#latestNs = Math.max(this.#latestNs, held.timeNs, timeNs);
    this.#fly(held.frame, this.#latestNs);
  }

  #fly(frame: Uint8Array, timeNs: Nanoseconds): void {
    if (!this.#flight.push(Math.ceil(timeNs), frame)) return;
    if (this.#arrivalEvent !== undefined) this.#scheduler.cancel(this.#arrivalEvent);
    this.#arrivalEvent = this.#scheduler.at(this.#flight.firstNs, this.#arrive);
  }

  readonly #arrive = (): void => {
    const { to, arrivalPort } = this.#context;
    const frame = this.#flight.shift();
    this.#arrivalEvent =
      this.#flight.length === 0
        ? undefined
        : this.#scheduler.at(this.#flight.firstNs, this.#arrive);
    this.#tell("delivered", frame, to);
    to.receive(frame, arrivalPort());
  };

  #drop(frame: Uint8Array, reason: DropReason): void {
    this.#tell("dropped", frame, this.#context.from, reason);
  }

  #tell(what: FrameEvent["what"], frame: Uint8Array, station: Station, reason?: DropReason): void {
    this.counts[what]++;
    if (this.#listeners.length === 0) return;
    const event: FrameEvent = {
      timeNs: this.#scheduler.nowNs,
      what,
      direction: this.name,
      station: station.name,
      frame,
      reason,
      queuedBytes: this.#queue.bytes,
    };
    for (const listener of this.#listeners) listener(event);
  }
}
