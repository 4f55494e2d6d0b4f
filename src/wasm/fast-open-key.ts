/** Keys of Fast Open's cookies from their text to what the stack takes. */
import { ERRNO_EINVAL } from "../../assembly/layout";
import { isFastOpenKeys } from "../config/fast-open-key";
import { DemibunError } from "../errors";

/** The keys' bytes, in the order of the text. Throws EINVAL. */
export function fastOpenKeyBytes(text: string): Uint8Array[] {
  if (!isFastOpenKeys(text)) {
    throw new DemibunError({
      operation: "fast open",
      errno: ERRNO_EINVAL,
      detail: `${JSON.stringify(text)} is no key`,
      hint: "write four words of hexadecimal digits, e.g. 00112233-44556677-8899aabb-ccddeeff",
    });
  }
  return text.split(",").map((key) => {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    for (const [index, word] of key.split("-").entries()) {
      view.setUint32(index * 4, Number.parseInt(word, 16), true);
    }
    return bytes;
  });
}
