/**
 * Local ports in use: a count for each port of TCP and of UDP, of sockets that are bound or have
 * chosen it (connections accepted by a listener share its one count).
 */
import { sipHash24 } from "../crypto/siphash";
import { PORT_TABLE_BYTES } from "../memory/plan";
import { carve } from "../memory/region";
import { KEY_NETWORK, randomU32, secretKey } from "../random";
import { Ipv4 } from "../wire/ipv4";

/** The dynamic range of RFC 6335 section 6. */
const EPHEMERAL_FIRST: u32 = 49152;
const EPHEMERAL_COUNT: u32 = 16384;

let counts: usize = 0;
/** Successful choices so far, so that a destination's next port is not its last one. */
let choices: u32 = 0;

export function openPorts(): void {
  counts = carve(PORT_TABLE_BYTES, 64);
  choices = 0;
}

/** Address of the use count of a port of Ipv4.PROTOCOL_TCP or PROTOCOL_UDP. */
function countOf(protocol: u32, port: u32): usize {
  const table: u32 = protocol == Ipv4.PROTOCOL_UDP ? 65536 : 0;
  return counts + <usize>((table + port) << 1);
}

export function portTake(protocol: u32, port: u32): void {
  const at = countOf(protocol, port);
  const uses = load<u16>(at);
  assert(uses != u16.MAX_VALUE, "a port was taken too often");
  store<u16>(at, uses + 1);
}

export function portRelease(protocol: u32, port: u32): void {
  const at = countOf(protocol, port);
  const uses = load<u16>(at);
  assert(uses != 0, "a port was released twice");
  store<u16>(at, uses - 1);
}

export function portInUse(protocol: u32, port: u32): bool {
  return load<u16>(countOf(protocol, port)) != 0;
}

/**
 * A free port to talk to a remote from, not yet taken; 0 when none is left. RFC 6056 section 3.3.3:
 * a keyed hash of the remote and a counter. Without a remote (address 0) it is random.
 */
export function portEphemeral(protocol: u32, remoteAddress: u32, remotePort: u32): u32 {
  const start = remoteAddress != 0 ? portHash(remoteAddress, remotePort) + choices : randomU32();
  for (let tries: u32 = 0; tries < EPHEMERAL_COUNT; tries++) {
    const port = EPHEMERAL_FIRST + ((start + tries) & (EPHEMERAL_COUNT - 1));
    if (portInUse(protocol, port)) continue;
    choices += tries + 1;
    return port;
  }
  return 0;
}

function portHash(remoteAddress: u32, remotePort: u32): u32 {
  const remote = (<u64>remoteAddress) | ((<u64>remotePort) << 32);
  // The third word sets this use of the key apart from IPv4 identifications.
  const use: u64 = u64.MAX_VALUE;
  return <u32>sipHash24(secretKey(KEY_NETWORK), secretKey(KEY_NETWORK + 1), remote, use);
}
