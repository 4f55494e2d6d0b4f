/** Copying between places that do not overlap. */

/** Above this the engine's own copy is faster; below, calling it costs more than the copy. */
const CALL_MINIMUM: usize = 256;
const VECTOR: usize = 16;

export function copyBytes(to: usize, from: usize, bytes: usize): void {
  if (bytes < VECTOR || bytes > CALL_MINIMUM) {
    memory.copy(to, from, bytes);
    return;
  }
  // The last vector overlaps the one before it, so any length from one vector on comes out exact.
  const last = bytes - VECTOR;
  for (let at: usize = 0; at < last; at += VECTOR) v128.store(to + at, v128.load(from + at));
  v128.store(to + last, v128.load(from + last));
}
