/** Carves the linear memory into regions at `open`; nothing is allocated after that. */
import { REGIONS_BASE } from "../layout";
import { alignUp } from "./plan";

let next: usize = REGIONS_BASE;

export function resetRegions(): void {
  next = REGIONS_BASE;
}

/** Takes `bytes` of zeroed memory, aligned to `alignment` (a power of two). */
export function carve(bytes: usize, alignment: usize): usize {
  const start: usize = alignUp(next, alignment);
  next = start + bytes;
  assert(next <= (<usize>memory.size()) << 16, "memory is smaller than memory/plan.ts asks for");
  memory.fill(start, 0, bytes);
  return start;
}
