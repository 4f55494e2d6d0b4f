/**
 * A wire of TypeScript between the rings of two stacks that live in two memories: what a software
 * device costs at least. It carries plain packets of one frame and knows neither offloads nor faults.
 */
import {
  ADDRESS_ENTRY_SIZE,
  DESCRIPTOR_LENGTH,
  DESCRIPTOR_SIZE,
  RING_CONSUMER,
  RING_DESCRIPTORS,
  RING_PRODUCER,
  RX_HEADROOM,
} from "../../assembly/layout";
import type { Stack } from "../../src/wasm/stack";
import { type Bytes, bytesOf, copyBytes } from "./bytes";

/** One end's rings: word indexes into its memory. */
class End {
  readonly memory: Bytes;
  readonly words: Uint32Array;
  readonly frames: number;
  readonly mask: number;
  readonly rx: number;
  readonly tx: number;
  readonly fill: number;
  readonly completion: number;

  constructor(stack: Stack) {
    const places = stack.places(0);
    this.memory = bytesOf(places.memory.buffer as ArrayBuffer);
    this.words = stack.words;
    this.frames = places.frames;
    this.mask = places.entries - 1;
    this.rx = places.rx >>> 2;
    this.tx = places.tx >>> 2;
    this.fill = places.fill >>> 2;
    this.completion = places.completion >>> 2;
  }
}

const PRODUCER = RING_PRODUCER >>> 2;
const CONSUMER = RING_CONSUMER >>> 2;
const ENTRIES = RING_DESCRIPTORS >>> 2;
const LENGTH = DESCRIPTOR_LENGTH >>> 2;
const DESCRIPTOR_WORDS = DESCRIPTOR_SIZE >>> 2;
const ENTRY_WORDS = ADDRESS_ENTRY_SIZE >>> 2;

/** Moves what `from` sends into frames `to` has posted; what finds none waits in the ring. */
function carry(from: End, to: End): number {
  const source = from.words;
  const target = to.words;
  let sent = source[from.tx + CONSUMER] as number;
  const end = source[from.tx + PRODUCER] as number;
  if (sent === end) return 0;
  let posted = target[to.fill + CONSUMER] as number;
  const postedEnd = target[to.fill + PRODUCER] as number;
  let received = target[to.rx + PRODUCER] as number;
  let completed = source[from.completion + PRODUCER] as number;
  let packets = 0;
  while (sent !== end && posted !== postedEnd) {
    const descriptor = from.tx + ENTRIES + (sent & from.mask) * DESCRIPTOR_WORDS;
    const address = source[descriptor] as number;
    const length = source[descriptor + LENGTH] as number;
    const place =
      (target[to.fill + ENTRIES + (posted & to.mask) * ENTRY_WORDS] as number) + RX_HEADROOM;
    copyBytes(from.memory, from.frames + address, to.memory, to.frames + place, length);
    const arrival = to.rx + ENTRIES + (received & to.mask) * DESCRIPTOR_WORDS;
    target[arrival] = place;
    target[arrival + 1] = 0;
    target[arrival + LENGTH] = length;
    target[arrival + LENGTH + 1] = 0;
    const done = from.completion + ENTRIES + (completed & from.mask) * ENTRY_WORDS;
    source[done] = address;
    source[done + 1] = 0;
    sent = (sent + 1) >>> 0;
    posted = (posted + 1) >>> 0;
    received = (received + 1) >>> 0;
    completed = (completed + 1) >>> 0;
    packets++;
  }
  source[from.tx + CONSUMER] = sent;
  target[to.fill + CONSUMER] = posted;
  target[to.rx + PRODUCER] = received;
  source[from.completion + PRODUCER] = completed;
  return packets;
}

export class Wire {
  readonly #one: End;
  readonly #other: End;

  constructor(one: Stack, other: Stack) {
    this.#one = new End(one);
    this.#other = new End(other);
  }

  /** Carries what waits both ways; returns the packets moved. */
  carry(): number {
    return carry(this.#one, this.#other) + carry(this.#other, this.#one);
  }
}
