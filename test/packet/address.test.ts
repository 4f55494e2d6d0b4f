import { expect, test } from "bun:test";
import fc from "fast-check";
import { DemibunError } from "../../src/errors";
import { addressBytes, ipv4Text, ipv6Text, macText } from "../../src/packet/address";
import { ipv6 } from "./arbitraries";

function text6(bytes: Uint8Array): string {
  return ipv6Text(new DataView(bytes.buffer), 0);
}

test("IPv4 text and bytes", () => {
  expect(ipv4Text(0xc0a80001)).toBe("192.168.0.1");
  expect(ipv4Text(0xffffffff)).toBe("255.255.255.255");
  expect(addressBytes("10.0.255.1")).toEqual(Uint8Array.of(10, 0, 255, 1));
});

test("IPv6 text is what URL makes of the same bytes", () => {
  fc.assert(
    fc.property(ipv6, (text) => {
      expect(text6(addressBytes(text))).toBe(text);
    }),
    { numRuns: 500 },
  );
});

test("the recommendations of RFC 5952", () => {
  const texts = [
    ["2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:DB8::A", "2001:db8::a"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["::ffff:0a00:0001", "::ffff:10.0.0.1"],
    ["::ffff:10.0.0.1", "::ffff:10.0.0.1"],
  ] as const;
  for (const [written, canonical] of texts) expect(text6(addressBytes(written))).toBe(canonical);
});

test("more addresses than are remembered", () => {
  for (let address = 0; address < 10_000; address++) {
    expect(ipv4Text(address)).toBe(`0.0.${address >>> 8}.${address & 255}`);
  }
});

test("what is no address is refused by name", () => {
  for (const text of ["", "10.1", "0x7f.0.0.1", "10.0.0.256", "fe80::1%eth9", "1::2::3", "host"]) {
    expect(() => addressBytes(text)).toThrow(DemibunError);
    expect(() => addressBytes(text)).toThrow(`"${text}" is no IP address (EINVAL)`);
  }
});

test("MAC text", () => {
  expect(macText(Uint8Array.of(2, 0, 0, 10, 255, 1))).toBe("02:00:00:0a:ff:01");
});
