/** Damage to a frame: bits flipped on the wire, or a payload changed before it was summed. */
import type { Random } from "../random";
import { setCoveredByte, transportOf } from "./frame-fields";
import type { DirectionOptions } from "./options";

type CorruptOptions = NonNullable<DirectionOptions["corrupt"]>;

/** Drawn before the frame's length matters, so that a longer frame draws no more numbers. */
export interface Corruption {
  /** Place as a share of the frame, [0, 1). */
  readonly where: number;
  /** Bits to flip from there on, the first in bit 0; never 0. */
  readonly pattern: number;
  /** The pattern starts at a byte's first bit. */
  readonly aligned: boolean;
  readonly before: boolean;
}

export function drawCorruption(options: CorruptOptions, random: Random): Corruption | undefined {
  const hit = random.chance(options.probability);
  const where = random.float();
  const bits = random.u32();
  if (!hit) return undefined;
  const { what, before = false } = options;
  return { where, pattern: patternOf(what, bits), aligned: what === "byte", before };
}

function patternOf(what: CorruptOptions["what"], bits: number): number {
  if (what === "bit") return 1;
  if (what === "byte") return (bits % 255) + 1;
  // A burst of 2 to 32 bits begins and ends with a flipped one.
  const last = 1 << (1 + (bits % 31));
  return ((bits & (last - 1)) | last | 1) >>> 0;
}

/** Damages the frame in place; false when there is no payload to damage before the checksum. */
export function corrupt(frame: Uint8Array, corruption: Corruption): boolean {
  const { where, aligned, before } = corruption;
  const transport = before ? transportOf(frame) : undefined;
  if (before && transport === undefined) return false;
  const first = transport?.payload ?? 0;
  const end = transport?.end ?? frame.length;
  if (first >= end) return false;
  let bit = Math.floor(where * (end - first) * 8);
  if (aligned) bit &= ~7;
  for (let left = corruption.pattern; left !== 0; left >>>= 1, bit++) {
    const at = first + (bit >>> 3);
    if ((left & 1) === 0 || at >= end) continue;
    const value = (frame[at] as number) ^ (0x80 >>> (bit & 7));
    if (transport === undefined) frame[at] = value;
    else setCoveredByte(frame, transport, at, value);
  }
  return true;
}
