/**
 * How much of a write Linux takes. It copies into chunks of at most half the peer's largest window,
 * whole segments, and looks for room only when it begins one: so it takes a little more than the buffer
 * holds, and what waits unsent is bounded in chunks too. Chunks cost memory of their own.
 */
import { ESTABLISHED } from "../../../assembly/transport/tcp/record";
import type { ConnectionView } from "../../wasm/connections";

/** About what the kernel of 6.18 charges for a chunk beside its bytes. */
const CHUNK_COST_BYTES = 1536;
/** GSO_MAX_SIZE. */
const CHUNK_MAX_BYTES = 65_536;

/** Data bytes between SND.UNA and the end of the send queue. */
export function unacknowledged(view: ConnectionView): number {
  if (view.stateNumber < ESTABLISHED) return 0;
  return Math.max(0, (view.sendEnd - view.sendUna) | 0);
}

/** tcp_xmit_size_goal. */
function chunkBytes({ mss, windowMax }: ConnectionView): number {
  const bytes = Math.min(windowMax >> 1, CHUNK_MAX_BYTES);
  return Math.max(mss, bytes - (bytes % mss));
}

/** sk_wmem_queued of so many bytes unacknowledged: chunks cost something too. */
function queuedBytes(bytes: number, chunk: number): number {
  return bytes + Math.ceil(bytes / chunk) * CHUNK_COST_BYTES;
}

/** Bytes of a write of `length` that are taken now; full chunks leave while it goes on. */
export function takenBytes(view: ConnectionView, length: number): number {
  const chunk = chunkBytes(view);
  let used = unacknowledged(view);
  let unsent = view.unsentBytes;
  const open = Math.min(view.cwnd, view.sendWindow) - (used - unsent);
  let sendable = Math.max(0, open - (open % view.mss));
  let taken = 0;
  while (taken < length) {
    const tail = unsent % chunk;
    // sk_stream_memory_free.
    const isFull =
      (view.unsentMax !== 0 && unsent >= view.unsentMax) ||
      queuedBytes(used, chunk) >= view.sendBuffer;
    if (tail === 0 && isFull) break;
    const bytes = Math.min(length - taken, chunk - tail);
    taken += bytes;
    used += bytes;
    unsent += bytes;
    if (bytes + tail < chunk) continue;
    const left = Math.min(unsent, sendable);
    unsent -= left;
    sendable -= left;
  }
  return taken;
}

/** sk_stream_is_writeable: at least a third of the buffer is free, and half of what may wait unsent. */
export function isWritable(view: ConnectionView): boolean {
  if (view.unsentMax !== 0 && 2 * view.unsentBytes >= view.unsentMax) return false;
  const queued = queuedBytes(unacknowledged(view), chunkBytes(view));
  return view.sendBuffer - queued >= queued >> 1;
}
