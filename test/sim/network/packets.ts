/** Packets for the tests of the network: from 10.0.0.1 to 10.0.0.2 unless told otherwise. */
import { buildTcp, buildUdp, type TcpFields } from "../../../src/packet/build-transport";
import { buildEthernet, buildIpv4, frameIp, type Ipv4Fields } from "../../../src/packet/build";
import { ETHERTYPE_IPV4 } from "../../../src/packet/protocols";

export const macA = Uint8Array.of(2, 0, 0, 0, 0, 1);
export const macB = Uint8Array.of(2, 0, 0, 0, 0, 2);
export const broadcast = new Uint8Array(6).fill(0xff);
export const addresses = { source: "10.0.0.1", destination: "10.0.0.2" };

export interface FrameOptions extends Partial<Ipv4Fields> {
  readonly to?: Uint8Array;
  readonly from?: Uint8Array;
  readonly tcp?: Partial<TcpFields>;
}

function framed(protocol: number, segment: Uint8Array, options: FrameOptions): Uint8Array {
  const { to = macB, from = macA, tcp: _, ...fields } = options;
  const packet = buildIpv4({ ...addresses, protocol, ...fields }, segment);
  return frameIp({ destination: to, source: from }, packet);
}

/** Of this protocol; without one, these bytes are the packet. */
export function ipFrame(contents: Uint8Array, options: FrameOptions = {}): Uint8Array {
  const { to = macB, from = macA, protocol } = options;
  if (protocol !== undefined) return framed(protocol, contents, options);
  const type = ETHERTYPE_IPV4;
  return buildEthernet({ destination: to, source: from, type }, contents);
}

export function udpFrame(payload: Uint8Array, options: FrameOptions = {}): Uint8Array {
  const ports = { sourcePort: 1000, destinationPort: 2000 };
  return framed(17, buildUdp(ports, payload, { ...addresses, ...options }), options);
}

export function tcpFrame(payload: Uint8Array, options: FrameOptions = {}): Uint8Array {
  const fields = { sourcePort: 1000, destinationPort: 2000, ...options.tcp } as TcpFields;
  return framed(6, buildTcp(fields, payload, { ...addresses, ...options }), options);
}
