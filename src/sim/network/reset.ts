/** Forged TCP resets (RFC 9293 section 3.5.2). */
import { buildIpv4, buildIpv6, frameIp } from "../../packet/build";
import { type Addresses, buildTcp, type TcpFields } from "../../packet/build-transport";
import { PROTOCOL_TCP } from "../../packet/protocols";
import {
  type Packet,
  TCP_ACK,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
  type TcpHeader,
} from "../../packet/types";

const nobody = new Uint8Array(6);

/** Resets in both ends' names because of one TCP segment, `offset` off the right sequence number. */
export function resetFrames(
  { ethernet, ip, tcp, payload }: Packet,
  offset: number,
): { readonly receiver: Uint8Array; readonly sender: Uint8Array } {
  const { source: mac = nobody, destination: peerMac = nobody } = ethernet ?? {};
  if (ip === undefined || tcp === undefined) throw new Error("not a TCP segment");
  const { source, destination } = ip;
  const { sourcePort, destinationPort } = tcp;
  // It comes before the segment itself, so the receiver still expects that segment's number.
  const forward = { flags: TCP_RST, sequence: (tcp.sequence + offset) >>> 0 };
  return {
    receiver: resetFrame(
      { source: mac, destination: peerMac },
      { source, destination },
      { ...forward, sourcePort, destinationPort },
    ),
    sender: resetFrame(
      { source: peerMac, destination: mac },
      { source: destination, destination: source },
      {
        ...answer(tcp, payload.length, offset),
        sourcePort: destinationPort,
        destinationPort: sourcePort,
      },
    ),
  };
}

/** What the receiver itself would send: the number that is acknowledged, or an acknowledgement. */
function answer({ flags, acknowledgment, sequence }: TcpHeader, bytes: number, offset: number) {
  if ((flags & TCP_ACK) !== 0) {
    return { flags: TCP_RST, sequence: (acknowledgment + offset) >>> 0 };
  }
  const controls = ((flags & TCP_SYN) === 0 ? 0 : 1) + ((flags & TCP_FIN) === 0 ? 0 : 1);
  const end = (sequence + bytes + controls + offset) >>> 0;
  return { flags: TCP_RST | TCP_ACK, sequence: 0, acknowledgment: end };
}

function resetFrame(
  macs: { readonly source: Uint8Array; readonly destination: Uint8Array },
  addresses: Addresses,
  fields: TcpFields,
): Uint8Array {
  const segment = buildTcp({ ...fields, window: 0 }, new Uint8Array(0), addresses);
  const header = { ...addresses, protocol: PROTOCOL_TCP };
  const isVersion6 = addresses.source.includes(":");
  return frameIp(macs, isVersion6 ? buildIpv6(header, segment) : buildIpv4(header, segment));
}
