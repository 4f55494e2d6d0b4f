/** Captures that Wireshark, tshark and tcpdump read. */
export { type Capture, readPcapng, type ReadInterface, type ReadPacket } from "./reader";
export {
  type CaptureInterface,
  type CaptureOptions,
  type CapturePacket,
  type Direction,
  LINK_TYPE_ETHERNET,
  LINK_TYPE_RAW,
} from "./types";
export { PcapngWriter } from "./writer";
