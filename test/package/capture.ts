/** A program of a user's: writes a capture and reads it again. */
import { LINK_TYPE_ETHERNET, PcapngWriter, readPcapng } from "demibun/pcapng";

export interface CaptureResult {
  readonly length: number;
  readonly read: readonly string[];
}

export async function run(): Promise<CaptureResult> {
  const writer = new PcapngWriter({ application: "a program" });
  const interfaceId = writer.addInterface({ name: "client", linkType: LINK_TYPE_ETHERNET });
  for (let length = 60; length < 64; length++) {
    const bytes = new Uint8Array(length).fill(length);
    writer.addPacket({ interfaceId, timeNs: length * 1e6, bytes, comments: [`packet ${length}`] });
  }
  const file = writer.finish();
  const { packets } = readPcapng(file);
  return {
    length: file.length,
    read: packets.map(({ bytes, comments }) => `${comments}: ${bytes.length} of ${bytes[0]}`),
  };
}
