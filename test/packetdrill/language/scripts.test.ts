/** What stands around packets and calls: options, times, commands, code, comments, dialects. */
import { describe, expect, test } from "bun:test";
import { parseScript } from "../../../src/packetdrill/language/parse";

const close = "close(3) = 0";

test("options", () => {
  const { options } = parseScript(
    `// Options stand first.
     --tolerance_usecs=10000 --strict_segments
     --local_ip=192.0.2.1
     --remote_ip=2001:db8::1
     --init_scripts="./a.sh b"
     0 ${close}`,
  );
  expect(options.map(({ name, value }) => [name, value])).toEqual([
    ["tolerance_usecs", "10000"],
    ["strict_segments", undefined],
    ["local_ip", "192.0.2.1"],
    ["remote_ip", "2001:db8::1"],
    ["init_scripts", "./a.sh b"],
  ]);
  expect(options[1]?.position).toMatchObject({ line: 2, column: 30 });
});

test("times", () => {
  const times = parseScript(
    `0 > . 0:0(0)
     +.000001 ${close}
     1.5 ${close}
     * > . 0:0(0)
     2~2.25 > . 0:0(0)
     +0~+.1 > . 0:0(0)
     3. ${close}`,
  ).events.map(({ time }) => time);
  expect(times).toEqual([
    { kind: "absolute", us: 0 },
    { kind: "relative", us: 1 },
    { kind: "absolute", us: 1_500_000 },
    { kind: "any" },
    { kind: "absoluteRange", startUs: 2_000_000, endUs: 2_250_000 },
    { kind: "relativeRange", startUs: 0, endUs: 100_000 },
    { kind: "absolute", us: 3_000_000 },
  ]);
});

test("commands before, between and after the events", () => {
  const script = parseScript(
    `\`sysctl -q net.ipv4.tcp_sack=0
      true\`
    0 \`sleep 0\`
    +0 ${close}
    \`rm -f x\``,
  );
  expect(script.initCommand?.command).toBe("sysctl -q net.ipv4.tcp_sack=0\n      true");
  expect(script.events[0]?.action).toMatchObject({ kind: "command", command: "sleep 0" });
  expect(script.cleanupCommand).toMatchObject({ command: "rm -f x", position: { line: 5 } });
});

test("code and the place where it stands", () => {
  const { action } = parseScript(`0 ${close}\n+0 %{ assert 1 < 2\nassert True }%`).events[1] ?? {};
  expect(action).toMatchObject({
    kind: "code",
    code: " assert 1 < 2\nassert True ",
    position: { line: 2, column: 6 },
  });
});

test("comments of both kinds, anywhere", () => {
  const script = parseScript(
    `/* one
     line */ 0 // time
     > /* way */ S. // flags
     0:0(0) ack 1 <mss /* bytes */ 1460>
     // end`,
  );
  expect(script.events).toHaveLength(1);
});

test("a line's end may be \\r\\n", () => {
  const script = parseScript(`0 ${close}\r\n+0 > . 0:0(0)\r\n`);
  expect(script.events).toHaveLength(2);
  expect(script.events[1]?.position.text).toBe("+0 > . 0:0(0)");
});

describe("symbols", () => {
  test("stand for integers, words, strings, cookies and commands", () => {
    const script = parseScript(
      `--define=SIZE=1460 --define=LEVEL=SOL_TCP --define=TEXT="ab c" --define=COOKIE=00ff
       --define=SETUP=\`true\` --define=WHY=host_unreachable
       SETUP
       0 setsockopt(3, LEVEL, SIZE, TEXT, 4) = 0
       +0 > S 0:0(0) <mss SIZE,FO COOKIE>
       +0 < icmp unreachable WHY`,
    );
    expect(script.initCommand?.command).toBe("true");
    const [call, syn, icmp] = script.events.map(({ action }) => action);
    expect(call).toMatchObject({
      arguments: [
        { value: 3 },
        { kind: "name", name: "SOL_TCP" },
        { kind: "integer", value: 1460 },
        { kind: "string", value: "ab c" },
        { value: 4 },
      ],
    });
    expect(syn).toMatchObject({
      body: { options: [{ mss: 1460 }, { cookie: Uint8Array.of(0, 255) }] },
    });
    expect(icmp).toMatchObject({ body: { code: "host_unreachable" } });
  });

  test("of the command line stand above the script's", () => {
    const defines = [["SIZE", "9"]] as const;
    const { events } = parseScript("--define=SIZE=5\n0 read(3, ..., SIZE) = SIZE", { defines });
    expect(events[0]?.action).toMatchObject({ result: { value: 9 } });
  });
});

describe("Demikernel's dialect", () => {
  const text = `
    // A comment with TCP < in it is no packet.
    +.1 socket(..., SOCK_STREAM, IPPROTO_TCP) = 500
    +.2 TCP > S. seq 5(1000) ack 1 win 65535 <mss 1450, wscale 0>
    +.1 UDP < len 64
    +.1 wait(500, ...) = ECONNREFUSED`;

  test("reads into the same values", () => {
    const script = parseScript(text);
    expect(script.dialect).toBe("demikernel");
    const plain = parseScript(`0 close(3) = 0
      +0 > S. 5:1005(1000) ack 1 win 65535 <mss 1450,wscale 0>
      +0 < udp (64)
      +0 wait(500, ...) = -1 ECONNREFUSED`);
    const actions = [script, plain].map(({ events }) =>
      events.slice(1).map(({ action }) => action),
    );
    expect(actions[0]).toEqual(actions[1] as never);
  });

  test("is told by the option where the text does not tell it", () => {
    const plain = "+.1 close(3) = 0";
    expect(parseScript(plain, { dialect: "demikernel" }).dialect).toBe("demikernel");
    expect(parseScript(`--dialect=demikernel\n${plain}`).dialect).toBe("demikernel");
    expect(parseScript(`0 ${close}`).dialect).toBe("packetdrill");
  });
});
