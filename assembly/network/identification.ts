/**
 * Identifications of IPv4 datagrams that are fragmented (RFC 6864 section 4.3): unlike for the same
 * two hosts and protocol for as long as can be, and no guide to what is sent to others.
 */
import { sipHash24 } from "../crypto/siphash";
import { KEY_NETWORK, secretKey } from "../random";

const COUNTERS: u32 = 256;
const counters: usize = memory.data(512, 2);

export function openIdentifications(): void {
  memory.fill(counters, 0, COUNTERS << 1);
}

/** The next identification of datagrams of `protocol` from `source` to `destination`. */
export function nextIdentification(source: u32, destination: u32, protocol: u32): u32 {
  const pair = (<u64>source) | ((<u64>destination) << 32);
  const hash = sipHash24(secretKey(KEY_NETWORK), secretKey(KEY_NETWORK + 1), pair, protocol);
  const counter = counters + <usize>(((<u32>hash) & (COUNTERS - 1)) << 1);
  const step = load<u16>(counter);
  store<u16>(counter, step + 1);
  return (<u32>(hash >> 32) + step) & 0xffff;
}
