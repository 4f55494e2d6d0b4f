/** Scripted behaviour of a direction: a chain of rules that each frame is shown to as it is sent. */
import { parseFrame } from "../../packet/parse";
import type { Packet } from "../../packet/types";
import type { Nanoseconds } from "../scheduler";

/** A frame as a rule sees it. One object serves all frames: not to be kept. */
export interface RuleContext {
  /** `a>b`. */
  readonly direction: string;
  readonly nowNs: Nanoseconds;
  /** Of this frame in its direction; the first sent is 1. */
  readonly number: number;
  /** The frame read field by field; only when a rule asks. Rules before it may have changed it. */
  readonly packet: Packet;
  /** Sends another frame in this direction, past all rules. */
  readonly inject: (frame: Uint8Array) => void;
  /** Sends a frame back in the other direction, past all rules. */
  readonly reply: (frame: Uint8Array) => void;
}

/**
 * `pass`: the next rule decides. `drop`: it goes no further. `deliverMs`: it arrives after this time
 * and meets no other rule, queue or fault. `frame`: it goes on to the next rule as this one.
 */
export type Verdict =
  "pass" | "drop" | { readonly deliverMs: number } | { readonly frame: Uint8Array };

/** Decides on a frame, whose bytes it may read but not change or keep: `slice` it first. */
export type Rule = (frame: Uint8Array, context: RuleContext) => Verdict;

export interface RuleOptions {
  /** A middlebox and not a fault: healing the link leaves it in place. */
  readonly permanent?: boolean;
}

/** What a direction lends to its rules. */
type RuleServices = Pick<RuleContext, "direction" | "inject" | "reply">;

class Context implements RuleContext {
  nowNs = 0;
  number = 0;
  readonly direction: string;
  readonly inject: (frame: Uint8Array) => void;
  readonly reply: (frame: Uint8Array) => void;
  #frame: Uint8Array = new Uint8Array(0);
  #packet: Packet | undefined;

  constructor({ direction, inject, reply }: RuleServices) {
    this.direction = direction;
    this.inject = inject;
    this.reply = reply;
  }

  show(frame: Uint8Array): void {
    this.#frame = frame;
    this.#packet = undefined;
  }

  get packet(): Packet {
    this.#packet ??= parseFrame(this.#frame);
    return this.#packet;
  }
}

/** What became of a frame: still on its way, gone, or to arrive at its own time. */
export type Judgement = { frame: Uint8Array; deliverMs: number | undefined } | undefined;

export class RuleChain {
  readonly #context: Context;
  #rules: { readonly rule: Rule; readonly permanent: boolean }[] = [];

  constructor(services: RuleServices) {
    this.#context = new Context(services);
  }

  get length(): number {
    return this.#rules.length;
  }

  /** Appends a rule; disposing of the result takes it out again. */
  add(rule: Rule, { permanent = false }: RuleOptions = {}): Disposable {
    const entry = { rule, permanent };
    // A new list each time, since a rule may change the chain while it runs.
    this.#rules = [...this.#rules, entry];
    return {
      [Symbol.dispose]: () => {
        this.#rules = this.#rules.filter((other) => other !== entry);
      },
    };
  }

  /** Takes out the rules that are faults. */
  heal(): void {
    this.#rules = this.#rules.filter(({ permanent }) => permanent);
  }

  /** Undefined when a rule drops the frame. */
  judge(frame: Uint8Array, nowNs: Nanoseconds, number: number): Judgement {
    const context = this.#context;
    context.nowNs = nowNs;
    context.number = number;
    context.show(frame);
    let current = frame;
    for (const { rule } of this.#rules) {
      const verdict = rule(current, context);
      if (verdict === "drop") return undefined;
      if (verdict === "pass") continue;
      if ("deliverMs" in verdict) return { frame: current, deliverMs: verdict.deliverMs };
      current = verdict.frame;
      context.show(current);
    }
    return { frame: current, deliverMs: undefined };
  }
}
