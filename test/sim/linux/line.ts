/** The line at which our TCP and the kernel's are compared (docs/simulator.md). */
import type { LinkOptions } from "../../../src/sim/index";

export const TRANSFER_BYTES = 16 * 1024 * 1024;
export const PORT = 5001;
/** What sender and receiver may hold: several times the path's 250 kB and its queue. */
export const BUFFER_BYTES = 4 * 1024 * 1024;

/** Decides the losses, together with a line's name. */
export const SEED = 1;

/** One transfer; lines of the same name lose the same packets, whoever sends them. */
export interface Line {
  readonly loss: number;
  readonly name: string;
}

export function linesWith(loss: number, count: number): Line[] {
  return Array.from({ length: count }, (_, index) => ({ loss, name: `loss ${loss} #${index}` }));
}

/** 20 Mb/s and a round trip of 100 ms, with a drop-tail queue of about what the path holds. */
export function lineOptions({ loss }: Line): LinkOptions {
  return {
    delayMs: 50,
    bandwidthBitsPerSecond: 20e6,
    queue: { kind: "drop-tail", bytesMax: 256 * 1024 },
    loss,
  };
}

/** Of a whole transfer, from the SYN to the last byte's arrival. */
export function kilobytesPerSecond(seconds: number): number {
  return TRANSFER_BYTES / seconds / 1000;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
