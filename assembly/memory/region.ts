/** Carves the linear memory into regions at `open`; nothing is allocated after that. */
import { CONTROL, CONTROL_SIZE } from "../layout";
import { alignUp } from "./plan";

let next: usize = CONTROL + CONTROL_SIZE;

export function resetRegions(): void {
  // The control page comes first; the host has written to it already.
  next = CONTROL + CONTROL_SIZE;
}

/** Takes `bytes` of zeroed memory, aligned to `alignment` (a power of two). */
export function carve(bytes: usize, alignment: usize): usize {
  const start: usize = alignUp(<u32>next, <u32>alignment);
  next = start + bytes;
  assert(next <= (<usize>memory.size()) << 16, "memory is smaller than memory/plan.ts asks for");
  memory.fill(start, 0, bytes);
  return start;
}
