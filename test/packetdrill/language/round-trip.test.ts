/** What is printed reads back as the same values. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseScript } from "../../../src/packetdrill/language/parse";
import { printEvent, printScript, printSeconds } from "../../../src/packetdrill/language/print";
import { printPacket } from "../../../src/packetdrill/language/print-packet";
import type { Script } from "../../../src/packetdrill/language/script";
import { event } from "./arbitrary";
import { packet } from "./reading";

const first = "0 close(3) = 0";

/** Events without the places where they stand. */
function values({ events }: Script): unknown[] {
  return events.map(({ time, action }) => {
    const { position: _, ...rest } = { position: undefined, ...action };
    return { time, action: rest };
  });
}

test("any event", () => {
  fc.assert(
    fc.property(event, (original) => {
      const script = parseScript(`${first}\n${printEvent(original)}`, { dialect: "packetdrill" });
      expect(values(script)[1]).toEqual(original as never);
    }),
    { numRuns: 2000 },
  );
});

test("events one behind the other", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 6 }), (originals) => {
      const text = [first, ...originals.map(printEvent)].join("\n");
      expect(values(parseScript(text, { dialect: "packetdrill" })).slice(1)).toEqual(
        originals as never,
      );
    }),
    { numRuns: 200 },
  );
});

test("a whole script", () => {
  const text = `--tolerance_usecs=10000
--strict_segments
--init_scripts="a b"
\`true\`
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0.1...0.2 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0 > [ect0] S 0:0(0) <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>
* > ipv4 192.0.2.1 > 192.0.2.2 : gre : icmp unreachable frag_needed mtu 1200 [1:11(10)]
0.5~0.75 > udp 1 > 2 (5)
+0 \`sleep 0\`
+0 %{ assert tcpi_snd_cwnd == 10 }%
\`rm x\`
`;
  const script = parseScript(text);
  expect(printScript(script)).toBe(text);
});

test("any text reads or is refused with a place in it", () => {
  const pieces = fc.constantFrom(
    ...'0 +0 ... * ~ < > S. 1:2(1) ack win <mss 1460> <...> udp icmp ( ) [ ] { } , | = " ` %{ }% -- \n // /* */ socket read AF_INET -1 fd= unreachable ipv6 ::1 : 0x'.split(
      " ",
    ),
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(pieces, fc.string({ maxLength: 3 })), { maxLength: 20 }),
      (list) => {
        const text = list.join(" ");
        try {
          parseScript(text);
        } catch (error) {
          expect(error).toMatchObject({ name: "ScriptError", kind: "syntax" });
          expect((error as { position: { line: number } }).position.line).toBeLessThanOrEqual(
            text.split("\n").length,
          );
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test("seconds have the decimals they need", () => {
  expect([0, 1, 100_000, 1_500_000, 60_000_000, -250_000].map(printSeconds)).toEqual([
    "0",
    "0.000001",
    "0.1",
    "1.5",
    "60",
    "-0.25",
  ]);
});

test("a packet without its direction, for a sentence", () => {
  expect(printPacket(packet("> P. 1:11(10) ack 1"), { direction: false })).toBe(
    "P. 1:11(10) ack 1",
  );
});
