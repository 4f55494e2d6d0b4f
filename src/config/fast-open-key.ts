/** Keys of Fast Open's cookies (RFC 7413 section 4.1.2), written as Linux's tcp_fastopen_key has them. */

const KEY = /^[0-9a-f]{1,8}(-[0-9a-f]{1,8}){3}$/i;

/** One key, or the one in use and an older one that is still believed. */
export function isFastOpenKeys(text: string): boolean {
  const keys = text.split(",");
  return keys.length <= 2 && keys.every((key) => KEY.test(key));
}
