/**
 * All randomness of a run comes from one seed. A stream is split off by a label, and what it yields
 * depends on the seed and the labels only: adding a link or a host shifts nobody else's numbers.
 */

import { cosineOfTurns, logarithm, power, sineOfTurns } from "./deterministic-math";

/** FNV-1a with a final mix: a label's share in a stream's state. */
function hashLabel(label: string, start: number): number {
  let hash = start >>> 0;
  for (let index = 0; index < label.length; index++) {
    hash = Math.imul(hash ^ label.charCodeAt(index), 0x01000193);
  }
  return mix(hash);
}

function mix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** xoshiro128** (Blackman and Vigna 2018), seeded from the path of labels. */
export class Random {
  readonly path: string;
  #a: number;
  #b: number;
  #c: number;
  #d: number;
  #spareNormal: number | undefined;

  constructor(seed: number | string, path = "") {
    this.path = `${seed}${path}`;
    this.#a = hashLabel(this.path, 0x811c9dc5);
    this.#b = hashLabel(this.path, this.#a ^ 0x9e3779b9);
    this.#c = hashLabel(this.path, this.#b ^ 0x243f6a88);
    this.#d = hashLabel(this.path, this.#c ^ 0xb7e15162) | 1;
  }

  /** The stream of this label; the same whenever and however often it is asked for. */
  split(label: string): Random {
    return new Random(this.path, `/${label}`);
  }

  /** 32 random bits as an unsigned number. */
  u32(): number {
    const result = Math.imul(rotate(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotate(this.#d, 11);
    return result;
  }

  /** Uniform in [0, 1). */
  float(): number {
    return (this.u32() * 0x200000 + (this.u32() >>> 11)) / 2 ** 53;
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.float() * limit);
  }

  /** A whole number in [low, high]. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** Log-uniform in [low, high], for sizes and times that span magnitudes. */
  magnitude(low: number, high: number): number {
    return low * power(high / low, this.float());
  }

  /** True with this probability; no number is drawn for 0 and 1. */
  chance(probability: number): boolean {
    if (probability <= 0) return false;
    return probability >= 1 || this.float() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  exponential(mean: number): number {
    return -mean * logarithm(1 - this.float());
  }

  /** Box and Muller 1958. */
  normal(mean: number, deviation: number): number {
    let standard = this.#spareNormal;
    if (standard === undefined) {
      const radius = Math.sqrt(-2 * logarithm(1 - this.float()));
      const turns = this.float();
      standard = radius * cosineOfTurns(turns);
      this.#spareNormal = radius * sineOfTurns(turns);
    } else {
      this.#spareNormal = undefined;
    }
    return mean + deviation * standard;
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let index = 0; index < count; index++) bytes[index] = this.u32() >>> 24;
    return bytes;
  }
}

function rotate(value: number, count: number): number {
  return (value << count) | (value >>> (32 - count));
}
