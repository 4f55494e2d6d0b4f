/**
 * Memories of stacks whose simulation is over, to be used again: an engine takes milliseconds to map
 * a new one, and a collection of everything whenever it has mapped too many.
 */
import { type StackOptions, stackMemoryBytes } from "../wasm/stack-options";

/** Sizes are rounded up to this, so that stacks of other options fit as well. */
const CLASS_BYTES = 1 << 19;
const PAGE_BYTES = 65_536;
/** Memories kept of each size. */
const SPARE_MAX = 16;

const spare = new Map<number, WebAssembly.Memory[]>();

/** What one simulation has taken. */
export class Memories {
  readonly #taken: WebAssembly.Memory[] = [];

  /** A memory of zeros, large enough for a stack of these options. */
  take(options: StackOptions): WebAssembly.Memory {
    const bytes = Math.ceil(stackMemoryBytes(options) / CLASS_BYTES) * CLASS_BYTES;
    const pages = bytes / PAGE_BYTES;
    const memory =
      spare.get(bytes)?.pop() ?? new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.#taken.push(memory);
    return memory;
  }

  /** Gives all back, when nothing of the simulation will ever run again. */
  giveBack(): void {
    for (const memory of this.#taken.splice(0)) {
      const { byteLength } = memory.buffer;
      const memories = spare.get(byteLength) ?? [];
      spare.set(byteLength, memories);
      if (memories.length >= SPARE_MAX) continue;
      new Uint8Array(memory.buffer).fill(0);
      memories.push(memory);
    }
  }
}
