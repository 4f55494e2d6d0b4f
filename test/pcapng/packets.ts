/** One packet of each kind, in frames. */
import { buildIpv4, buildIpv6, frameArp, frameIp } from "../../src/packet/build";
import { buildIcmp, buildIcmpError, buildTcp, buildUdp } from "../../src/packet/build-transport";
import { TCP_ACK, TCP_PSH, TCP_SYN } from "../../src/packet/types";

const ends = { source: "10.0.0.1", destination: "10.0.0.2" };
const ends6 = { source: "2001:db8::1", destination: "2001:db8::2" };
const macs = {
  source: Uint8Array.of(2, 0, 0, 0, 0, 1),
  destination: Uint8Array.of(2, 0, 0, 0, 0, 2),
};
const ports = { sourcePort: 40000, destinationPort: 50000 };
const data = Uint8Array.from({ length: 333 }, (_, index) => index);

const options = [
  { kind: "mss", mss: 1460 },
  { kind: "sackOK" },
  { kind: "timestamp", value: 1, echo: 0 },
  { kind: "nop" },
  { kind: "wscale", shift: 7 },
] as const;
const syn = { ...ports, sequence: 1, flags: TCP_SYN, options };
const push = { ...ports, sequence: 2, acknowledgment: 3, flags: TCP_PSH | TCP_ACK };
const udp4 = buildIpv4({ ...ends, protocol: 17 }, buildUdp(ports, data, ends));
const udp6 = buildIpv6({ ...ends6, protocol: 17 }, buildUdp(ports, data, ends6));
const echo = { code: 0, rest: 0x10002 };

/** IP packets without a link header. */
export const ipPackets: readonly Uint8Array[] = [
  buildIpv4({ ...ends, protocol: 6 }, buildTcp(syn, new Uint8Array(0), ends)),
  buildIpv4({ ...ends, protocol: 6, dontFragment: true }, buildTcp(push, data, ends)),
  buildIpv6({ ...ends6, protocol: 6 }, buildTcp(push, data, ends6)),
  udp4,
  udp6,
  buildIpv4({ ...ends, protocol: 1 }, buildIcmp({ type: 8, ...echo }, data)),
  buildIpv6({ ...ends6, protocol: 58 }, buildIcmp({ type: 128, ...echo }, data, ends6)),
  buildIpv4({ ...ends, protocol: 1 }, buildIcmpError(3, 4, 1400, udp4)),
  buildIpv6({ ...ends6, protocol: 58 }, buildIcmpError(2, 0, 1280, udp6, { addresses: ends6 })),
];

export const frames: readonly Uint8Array[] = [
  ...ipPackets.map((packet) => frameIp(macs, packet)),
  frameArp(new Uint8Array(6).fill(255), {
    operation: 1,
    senderMac: macs.source,
    senderAddress: ends.source,
    targetMac: new Uint8Array(6),
    targetAddress: ends.destination,
  }),
];
