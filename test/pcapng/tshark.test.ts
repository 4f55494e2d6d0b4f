/** tshark, which shares no code with us, finds nothing wrong with our captures and our packets. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LINK_TYPE_ETHERNET, LINK_TYPE_RAW, PcapngWriter } from "../../src/pcapng";
import { frames, ipPackets } from "./packets";

const program = Bun.which("tshark");
const TIMEOUT_MS = 30_000;
/** Remarks about the conversation, which these packets are none of (PI_SEQUENCE of epan/proto.h). */
const SEQUENCE_GROUP = "33554432";

/** The fields of each packet, as tshark prints them with every checksum verified. */
function dissect(capture: Uint8Array, fields: readonly string[]): string[][] {
  const folder = mkdtempSync(join(tmpdir(), "demibun-pcapng-"));
  try {
    const path = join(folder, "capture.pcapng");
    writeFileSync(path, capture);
    const checks = ["ip", "tcp", "udp"].flatMap((name) => ["-o", `${name}.check_checksum:TRUE`]);
    const wanted = fields.flatMap((field) => ["-e", field]);
    const command = ["tshark", "-n", "-r", path, ...checks, "-T", "fields", ...wanted];
    const { stdout, exitCode, stderr } = Bun.spawnSync(command, {
      stdout: "pipe",
      stderr: "pipe",
      timeout: TIMEOUT_MS,
    });
    expect(exitCode, stderr.toString()).toBe(0);
    const lines = stdout.toString().replace(/\n$/, "").split("\n");
    return lines.map((line) => line.split("\t"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function tests(): void {
  test(
    "every kind of packet is well formed with good checksums",
    () => {
      const writer = new PcapngWriter({ application: "demibun" });
      const ethernet = writer.addInterface({ name: "frames", linkType: LINK_TYPE_ETHERNET });
      const raw = writer.addInterface({ name: "packets", linkType: LINK_TYPE_RAW });
      for (const bytes of frames) writer.addPacket({ interfaceId: ethernet, timeNs: 1, bytes });
      for (const bytes of ipPackets) writer.addPacket({ interfaceId: raw, timeNs: 2, bytes });
      const statuses = ["ip", "tcp", "udp", "icmp", "icmpv6"].map(
        (name) => `${name}.checksum.status`,
      );
      const found = dissect(writer.finish(), [
        "frame.interface_name",
        "frame.len",
        "_ws.malformed",
        "_ws.expert.group",
        ...statuses,
      ]);
      expect(found.map(([name, length]) => `${name} ${length}`)).toEqual([
        ...frames.map((frame) => `frames ${frame.length}`),
        ...ipPackets.map((packet) => `packets ${packet.length}`),
      ]);
      for (const [, , malformed, groups, ...checksums] of found) {
        expect(malformed).toBe("");
        expect(groups?.split(",").filter((group) => !["", SEQUENCE_GROUP].includes(group))).toEqual(
          [],
        );
        // 1 is good; a quoted packet that was cut is 2, not verified.
        for (const status of checksums) expect(status).toMatch(/^(1?|1,[12])$/);
      }
      expect(found.flat().filter((cell) => cell === "1").length).toBeGreaterThan(frames.length);
    },
    TIMEOUT_MS,
  );

  test(
    "comments, interfaces, directions and nanoseconds are there",
    () => {
      const writer = new PcapngWriter({ comment: "a capture" });
      const client = writer.addInterface({ name: "client>server", linkType: LINK_TYPE_ETHERNET });
      const server = writer.addInterface({
        name: "server",
        description: "a host",
        linkType: LINK_TYPE_ETHERNET,
        snapLength: 60,
      });
      const bytes = frames[1] as Uint8Array;
      const comments = ["dropped: queue full", "seed 7 – é"];
      writer.addPacket({ interfaceId: client, timeNs: 1_000_000_001, bytes, comments });
      const timeNs = 1_790_000_000_123_456_789n;
      writer.addPacket({ interfaceId: server, timeNs, bytes, direction: "out" });
      const found = dissect(writer.finish(), [
        "frame.interface_name",
        "frame.interface_description",
        "frame.time_epoch",
        "frame.comment",
        "frame.packet_flags_direction",
        "frame.len",
        "frame.cap_len",
      ]);
      const { length } = bytes;
      expect(found).toEqual([
        ["client>server", "", "1.000000001", comments.join(","), "", `${length}`, `${length}`],
        ["server", "a host", "1790000000.123456789", "", "0x00000002", `${length}`, "60"],
      ]);
    },
    TIMEOUT_MS,
  );
}

if (program !== null) describe("tshark", tests);
else test.skip("tshark (cannot run: tshark is not installed)", () => {});
