/** Copies between memories the way TypeScript does them fastest. */

export interface Bytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Up to this length a loop beats the view that `TypedArray.set` needs. */
const SHORT_BYTES = 192;

export function bytesOf(buffer: ArrayBuffer): Bytes {
  return { bytes: new Uint8Array(buffer), view: new DataView(buffer) };
}

/** Copies `length` bytes and up to three more where it is short: places hold whole words. */
export function copyBytes(
  from: Bytes,
  fromAt: number,
  to: Bytes,
  toAt: number,
  length: number,
): void {
  if (length > SHORT_BYTES) {
    to.bytes.set(from.bytes.subarray(fromAt, fromAt + length), toAt);
    return;
  }
  const source = from.view;
  const target = to.view;
  for (let at = 0; at < length; at += 4) {
    target.setInt32(toAt + at, source.getInt32(fromAt + at, true), true);
  }
}
