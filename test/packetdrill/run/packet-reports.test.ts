/** What is told when a packet is not the expected one. */
import { expect, test } from "bun:test";
import { accepted, runText } from "./run-text";

type Case = readonly [what: string, events: string, report: string];

const packets: readonly Case[] = [
  [
    "TCP flags",
    `+0 write(4, ..., 100) = 100
+0 > F. 1:101(100) ack 1`,
    `t.pkt:9: TCP flags are P., should be F.
  expected  +0 > F. 1:101(100) ack 1
  actual    +0 > P. 1:101(100) ack 1 win 65535
  packets since the last that was as expected:
    0.1 < . 1:1(0) ack 1 win 60000
    0.1 > P. 1:101(100) ack 1 win 65535`,
  ],
  [
    "the sequence number",
    `+0 write(4, ..., 100) = 100
+0 > P. 2:102(100) ack 1`,
    `t.pkt:9: the sequence number is 1, should be 2
  expected  +0 > P. 2:102(100) ack 1
  actual    +0 > P. 1:101(100) ack 1 win 65535
  packets since the last that was as expected:
    0.1 < . 1:1(0) ack 1 win 60000
    0.1 > P. 1:101(100) ack 1 win 65535`,
  ],
  [
    "too many bytes",
    `+0 write(4, ..., 100) = 100
+0 > P. 1:51(50) ack 1`,
    `t.pkt:9: the length is 100, should be 50
  expected  +0 > P. 1:51(50) ack 1
  actual    +0 > P. 1:101(100) ack 1 win 65535
  packets since the last that was as expected:
    0.1 < . 1:1(0) ack 1 win 60000
    0.1 > P. 1:101(100) ack 1 win 65535`,
  ],
  [
    "too few bytes",
    `+0 write(4, ..., 100) = 100
+0 > P. 1:201(200) ack 1`,
    `t.pkt:9: the sequence number is 1, should be 101; after 100 bytes of the expected data; the packet was sent 300.064 ms too late: expected at 0.1
  expected  +0 > P. 1:201(200) ack 1
  actual    +0.300064 > P. 1:101(100) ack 1 win 65535
  packets since the last that was as expected:
    0.1 < . 1:1(0) ack 1 win 60000
    0.1 > P. 1:101(100) ack 1 win 65535
    0.400064 > P. 1:101(100) ack 1 win 65535`,
  ],
  [
    "the acknowledgment",
    `+0 write(4, ..., 100) = 100
+0 > P. 1:101(100) ack 2`,
    `t.pkt:9: the acknowledgment is 1, should be 2
  expected  +0 > P. 1:101(100) ack 2
  actual    +0 > P. 1:101(100) ack 1 win 65535
  packets since the last that was as expected:
    0.1 < . 1:1(0) ack 1 win 60000
    0.1 > P. 1:101(100) ack 1 win 65535`,
  ],
  [
    "the window",
    `+0 write(4, ..., 100) = 100
+0 > P. 1:101(100) ack 1 win 1000`,
    `t.pkt:9: the window is 65535, should be 1000
  expected  +0 > P. 1:101(100) ack 1 win 1000
  actual    +0 > P. 1:101(100) ack 1 win 65535
  packets since the last that was as expected:
    0.1 < . 1:1(0) ack 1 win 60000
    0.1 > P. 1:101(100) ack 1 win 65535`,
  ],
  [
    "the urgent pointer",
    `+0 write(4, ..., 100) = 100
+0 > P. 1:101(100) ack 1 urg 5`,
    `t.pkt:9: the urgent pointer is 0, should be 5
  expected  +0 > P. 1:101(100) ack 1 urg 5
  actual    +0 > P. 1:101(100) ack 1 win 65535
  packets since the last that was as expected:
    0.1 < . 1:1(0) ack 1 win 60000
    0.1 > P. 1:101(100) ack 1 win 65535`,
  ],
  [
    "TCP options",
    `+0 write(4, ..., 100) = 100
+0 > P. 1:101(100) ack 1 <nop,nop,sack 1:2>`,
    `t.pkt:9: TCP options are none, should be <nop,nop,sack 1:2>
  expected  +0 > P. 1:101(100) ack 1 <nop,nop,sack 1:2>
  actual    +0 > P. 1:101(100) ack 1 win 65535
  packets since the last that was as expected:
    0.1 < . 1:1(0) ack 1 win 60000
    0.1 > P. 1:101(100) ack 1 win 65535`,
  ],
  [
    "a port",
    `+0 write(4, ..., 100) = 100
+0 > 8080 > 99 P. 1:101(100) ack 1`,
    `t.pkt:9: the destination port is 33000, should be 99
  expected  +0 > 8080 > 99 P. 1:101(100) ack 1
  actual    +0 > 8080 > 33000 P. 1:101(100) ack 1 win 65535
  packets since the last that was as expected:
    0.1 < . 1:1(0) ack 1 win 60000
    0.1 > P. 1:101(100) ack 1 win 65535`,
  ],
  [
    "the protocol",
    `+0 write(4, ..., 100) = 100
+0 > udp (100)`,
    `t.pkt:9: TCP was sent, UDP was expected
  expected  +0 > udp (100)
  actual    +0 > P. 1:101(100) ack 1 win 65535
  packets since the last that was as expected:
    0.1 < . 1:1(0) ack 1 win 60000
    0.1 > P. 1:101(100) ack 1 win 65535`,
  ],
  [
    "the TTL",
    `+0 write(4, ..., 100) = 100
+0 > [ttl 1] P. 1:101(100) ack 1`,
    `t.pkt:9: TTL is 64, should be 1
  expected  +0 > [ttl 1] P. 1:101(100) ack 1
  actual    +0 > [ttl 64] P. 1:101(100) ack 1 win 65535
  packets since the last that was as expected:
    0.1 < . 1:1(0) ack 1 win 60000
    0.1 > P. 1:101(100) ack 1 win 65535`,
  ],
  [
    "ECN",
    `+0 write(4, ..., 100) = 100
+0 > [ect0] P. 1:101(100) ack 1`,
    `t.pkt:9: the ECN codepoint is noecn, should be ect0
  expected  +0 > [ect0] P. 1:101(100) ack 1
  actual    +0 > [noecn] P. 1:101(100) ack 1 win 65535
  packets since the last that was as expected:
    0.1 < . 1:1(0) ack 1 win 60000
    0.1 > P. 1:101(100) ack 1 win 65535`,
  ],
  [
    "the TOS",
    `+0 write(4, ..., 100) = 100
+0 > [tos 0x10] P. 1:101(100) ack 1`,
    `t.pkt:9: TOS is 0x00, should be 0x10
  expected  +0 > [tos 0x10] P. 1:101(100) ack 1
  actual    +0 > [tos 0x00] P. 1:101(100) ack 1 win 65535
  packets since the last that was as expected:
    0.1 < . 1:1(0) ack 1 win 60000
    0.1 > P. 1:101(100) ack 1 win 65535`,
  ],
  [
    "a packet that is late",
    `+0 < P. 1:101(100) ack 1 win 60000
+0.01 > . 1:1(0) ack 101`,
    `t.pkt:9: the packet was sent 30.096 ms too late: expected at 0.11
  expected  +0.01 > . 1:1(0) ack 101
  actual    +0.040096 > . 1:1(0) ack 101 win 65435
  packets since the last that was as expected:
    0.1 < . 1:1(0) ack 1 win 60000
    0.1 < P. 1:101(100) ack 1 win 60000
    0.140096 > . 1:1(0) ack 101 win 65435`,
  ],
  [
    "a packet that is early",
    `+0 < P. 1:101(100) ack 1 win 60000
+0.2 > . 1:1(0) ack 101`,
    `t.pkt:9: the packet was sent 159.904 ms too early: expected at 0.3
  expected  +0.2 > . 1:1(0) ack 101
  actual    +0.040096 > . 1:1(0) ack 101 win 65435
  packets since the last that was as expected:
    0.1 < . 1:1(0) ack 1 win 60000
    0.1 < P. 1:101(100) ack 1 win 60000
    0.140096 > . 1:1(0) ack 101 win 65435`,
  ],
  [
    "a packet before its window of time",
    `+0 < P. 1:101(100) ack 1 win 60000
+0.2~+0.3 > . 1:1(0) ack 101`,
    `t.pkt:9: the packet was sent 159.904 ms too early: expected from 0.3 to 0.4
  expected  +0.2~+0.3 > . 1:1(0) ack 101
  actual    +0.040096 > . 1:1(0) ack 101 win 65435
  packets since the last that was as expected:
    0.1 < . 1:1(0) ack 1 win 60000
    0.1 < P. 1:101(100) ack 1 win 60000
    0.140096 > . 1:1(0) ack 101 win 65435`,
  ],
  [
    "a packet that is missing",
    `+0 > . 1:1(0) ack 1`,
    `t.pkt:8: the packet was not sent within 2.004 s
  expected  +0 > . 1:1(0) ack 1
  packets since the last that was as expected:
    0.1 < . 1:1(0) ack 1 win 60000`,
  ],
  [
    "a packet that nothing expects",
    `+0 write(4, ..., 100) = 100
+0.1 < . 1:1(0) ack 101 win 60000`,
    `t.pkt:9: a packet that nothing expects was sent by the end of the script
  actual    0.1 > P. 1:101(100) ack 1 win 65535
  packets since the last that was as expected:
    0.1 < . 1:1(0) ack 1 win 60000
    0.1 > P. 1:101(100) ack 1 win 65535
    0.2 < . 1:1(0) ack 101 win 60000`,
  ],
  [
    "an unexpected packet before the expected one",
    `+0 write(4, ..., 100) = 100
+0.1 < P. 1:101(100) ack 101 win 60000
+0.04 > . 101:101(0) ack 101`,
    `t.pkt:10: TCP flags are P., should be .; the packet was sent 140 ms too early: expected at 0.24
  expected  +0.04 > . 101:101(0) ack 101
  actual    +0 > P. 1:101(100) ack 1 win 65535
  packets since the last that was as expected:
    0.1 < . 1:1(0) ack 1 win 60000
    0.1 > P. 1:101(100) ack 1 win 65535
    0.2 < P. 1:101(100) ack 101 win 60000`,
  ],
];

for (const [what, events, report] of packets) {
  test(what, async () => {
    const result = await runText(`${accepted}${events}\n`);
    expect(result.message).toBe(report);
    expect(result.status).toBe("failed");
  });
}
