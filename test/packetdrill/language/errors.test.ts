/** What a mistake in a script is answered with. */
import { describe, expect, test } from "bun:test";
import { refusal } from "./reading";

test("file, line and column, the line itself and a caret below the place", () => {
  expect(refusal("// first\n\t0 < S 0:0 win 5\n")).toBe(
    "a.pkt:2:12: expected “(” and the length of the segment, e.g. 1:1001(1000), found “win”\n" +
      "  \t0 < S 0:0 win 5\n" +
      "  \t          ^",
  );
});

/** The text, the place, and what the message says first. */
function says(text: string, place: string, reason: string): void {
  const [message] = refusal(text).split("\n");
  expect(message).toBe(`a.pkt:${place}: ${reason}`);
}

const twoEvents = "0 close(3) = 0\n";

describe("names suggest the nearest", () => {
  test.each([
    ["0 sokcet(1) = 3", "1:3", "unknown system call “sokcet”: did you mean “socket”?"],
    ["0 socket(AF_INTE, 1) = 3", "1:10", "unknown constant “AF_INTE”: did you mean “AF_INET”?"],
    ["0 close(3) = -1 EAGIAN", "1:17", "unknown errno “EAGIAN”: did you mean “EAGAIN”?"],
    [
      "0 bind(3, {sa_famly=AF_INET}) = 0",
      "1:12",
      "unknown member of a structure “sa_famly”: did you mean “sa_family”?",
    ],
    ["0 bind(htonz(1)) = 0", "1:8", "unknown function “htonz”: did you mean “htons”?"],
    ["0 > . 0:0(0) <mms 1460>", "1:15", "unknown TCP option “mms”: did you mean “mss”?"],
    ["0 > [ect2] . 0:0(0)", "1:6", "unknown field of IP “ect2”: did you mean “ect0”?"],
    [
      "0 < icmp unreachble",
      "1:10",
      "unknown type of ICMP “unreachble”: did you mean “unreachable”?",
    ],
    [
      "0 < icmp unreachable frag_neded",
      "1:22",
      "unknown code of the ICMP type “unreachable” “frag_neded”: did you mean “frag_needed”?",
    ],
    ["0 > gre flags [kez present]", "1:16", "unknown flag of GRE “kez”: did you mean “key”?"],
  ])("%s", says);
});

describe("segments that cannot be", () => {
  test.each([
    ["0 < S 0:10(9)", "1:7", "0 and 9 bytes end at 9, not 10: should it be 0:9(9) or 0:10(10)?"],
    ["0 < SX 0:0(0)", "1:6", "“X” is no TCP flag: they are F S R P . U E W A"],
    ["0 < SS 0:0(0)", "1:6", "the flag “S” is given twice"],
    ["0 > .9 0:0(0)", "1:5", "the ACE counter is 0 to 7, not 9"],
    ["0 > E.5 0:0(0)", "1:5", "the ACE counter is made of A, W and E: give one or the other"],
    ["0 > . 0:0(0) win 70000", "1:18", "the window is at most 65535, not 70000"],
    ["0 > . 0:0(0) <FO abc>", "1:18", "two hexadecimal digits make a byte: one is missing"],
    ["0 > [ttl 1, ttl 2] . 0:0(0)", "1:13", "this field of IP is given twice"],
    [
      "0 > [ect0, tos 0x1] . 0:0(0)",
      "1:12",
      "the TOS byte holds the ECN codepoint: give one of them",
    ],
    [
      "0 > ipv4 1.2.3.400 > 1.2.3.4: . 0:0(0)",
      "1:10",
      "“1.2.3.400” is not an IPv4 address, e.g. 192.0.2.1",
    ],
    ["0 < icmp echo_request foo", "1:23", "the ICMP type “echo_request” has no codes"],
  ])("%s", says);
});

describe("what is missing", () => {
  test.each([
    [
      "0 > . 0:0(0) <mss MSS>",
      "1:19",
      "expected the maximum segment size, found “MSS”; if it is a symbol, define it: --define=MSS=N",
    ],
    [
      "0 > . 0:0(0) <mss 1460 nop>",
      "1:24",
      "expected “>” or “,” and the next TCP option, found “nop”",
    ],
    ["0 > . 0:0(0) <sack>", "1:19", "expected a SACK block, e.g. sack 1001:2001, found “>”"],
    [
      "0 > . 0:0(0) <TS 5>",
      "1:18",
      "expected “val” and the timestamp, e.g. TS val 100 ecr 0, found “5”",
    ],
    [
      "0 close(3)\n+0 close(4) = 0",
      "1:11",
      "expected “=” and the result of the call, e.g. = 0, found the end of the line",
    ],
    ["0 close(3 = 0", "1:11", "expected “)” or “,” and one more, found “=”"],
    ['0 write(3, "abc, 3) = 3', "1:12", 'this string has no end “"” on its line'],
    [
      "0 > udp 5",
      "1:9",
      "expected “(” and the length of the datagram's payload, e.g. (1000), found “5”",
    ],
    ["0 `true", "1:3", "a command in backquotes has no end “`”"],
    ["0 %{ assert 1", "1:3", "code has no end “}%”"],
    ["0 close(3) = 0 /* x", "1:16", "this comment has no end “*/”"],
    [
      "+.1 TCP < S seq 0\n+.1 wait(1, ...) = 0",
      "1:18",
      "expected “(” and the length of the segment, e.g. seq 1(1000), found the end of the line",
    ],
    [
      "+.1 TCP S seq 0(0)\n+.1 wait(1, ...) = 0",
      "1:9",
      "expected “<” (to the stack) or “>” (from the stack), found “S”",
    ],
    [
      "",
      "1:1",
      "expected an event, e.g. 0 socket(..., SOCK_STREAM, 0) = 3, found the end of the file",
    ],
    [
      `${twoEvents}close(3) = 0`,
      "2:1",
      "expected an event's time (+0.1, 0.1, *, 0.1~0.2 or +0.1~+0.2), found “close”",
    ],
    [
      "--define=5\n0 close(3) = 0",
      "1:1",
      "expected a symbol and its value, e.g. --define=SIZE=1000",
    ],
  ])("%s", says);
});

describe("times that cannot be", () => {
  const only =
    "only an expected packet (>) may come at any time or in a range: it is not ours to time";
  test.each([
    ["0.1 close(3) = 0", "1:1", "the first event is at time 0: later ones count from it"],
    [
      `${twoEvents}+1 close(3) = 0\n0.5 close(3) = 0`,
      "3:1",
      "this event is before the one above it, at 1 s",
    ],
    ["* close(3) = 0", "1:1", only],
    ["0~1 < . 0:0(0)", "1:1", only],
    [`${twoEvents}1~0.5 > . 0:0(0)`, "2:1", "the range ends before it begins"],
    [`${twoEvents}1~+2 > . 0:0(0)`, "2:3", "a range is relative at both ends or at none"],
    [
      `${twoEvents}+1~2 > . 0:0(0)`,
      "2:4",
      "expected “+” and the end of the relative range, e.g. +0.1~+0.2, found “2”",
    ],
    [`${twoEvents}0.5...0.4 close(3) = 0`, "2:4", "the blocking call ends before it begins"],
    [
      `${twoEvents}*...0.4 close(3) = 0`,
      "2:2",
      "a blocking call begins at a given time, not at any time or in a range",
    ],
  ])("%s", says);
});

describe("the rest", () => {
  test.each([
    [
      `${twoEvents}\`true\`\n+1 close(3) = 0`,
      "3:1",
      "the command above has no time, so it is the cleanup: nothing may follow it",
    ],
    [`--dialect=foo\n${twoEvents}`, "1:1", "the dialects are packetdrill and demikernel"],
    ["0 bind(3, htons(1, 2)) = 0", "1:17", "htons takes one argument"],
    ['0 bind(3, inet_addr("1.2.3")) = 0', "1:21", "“1.2.3” is not an IPv4 address"],
    [`0 close(${"[".repeat(30)}`, "1:26", "structures are nested too deeply"],
    [
      "0 %{ for x in y: pass }%",
      "1:6",
      "“for” is not part of this language: it knows assert, if, names and expressions",
    ],
    ["0 %{\nassert 1 +\n}%", "2:11", "expected an expression, found the line's end"],
  ])("%s", says);
});
