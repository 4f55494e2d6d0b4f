/** Pseudo-random bytes from a fixed seed: the same N bytes on every machine and every request. */

const BLOCK_BYTES = 64 * 1024;
const SEED = 0x9e3779b9;

/** Block `index` of the sequence: xorshift32 seeded from the index, so that any block can be made. */
export function randomBlock(index: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(BLOCK_BYTES / 4);
  let state = Math.imul(index + 1, SEED) | 1;
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  return new Uint8Array(words.buffer);
}

/** The first `bytes` bytes of the sequence, a block at a time and only when it is asked for. */
export function randomStream(bytes: number): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const block = randomBlock(sent / BLOCK_BYTES);
        const left = bytes - sent;
        if (left > 0) controller.enqueue(left < BLOCK_BYTES ? block.subarray(0, left) : block);
        sent += BLOCK_BYTES;
        if (sent >= bytes) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
