/** Every mistake is answered with its place, what was expected and what to write. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { DemibunError } from "../../src/errors";
import { loadConfig, parseConfig, resolveConfig } from "../../src/config/load";
import { ConfigError } from "../../src/config/problem";

const address = "demikernel:\n  local_ipv4_addr: 10.0.0.2\n";

function mistake(text: string, environment: Record<string, string> = {}): ConfigError {
  try {
    parseConfig(text, "my.yaml", { environment });
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

test("the message shows file, line, column, the line with a caret, and the mend", () => {
  const error = mistake("demikernel:\n  local_ipv4_addr: 10.0.0.300\n");
  expect(error.message).toBe(
    [
      'config: my.yaml:2:20: demikernel.local_ipv4_addr: "10.0.0.300" is not accepted (EINVAL)',
      "  2 |   local_ipv4_addr: 10.0.0.300",
      "    |                    ^^^^^^^^^^",
      "  expected: an IPv4 address of four decimal numbers",
      "  write: local_ipv4_addr: 10.0.0.2",
      "  hint: write local_ipv4_addr: 10.0.0.2",
    ].join("\n"),
  );
  expect(error).toBeInstanceOf(DemibunError);
  expect(error).toMatchObject({ code: "EINVAL", operation: "config" });
});

test("an unknown key is marked and the meant one named", () => {
  const [problem] = mistake("demikernel:\n  local_ipv4_adr: 10.0.0.2\n").problems;
  expect(problem).toMatchObject({
    message: 'unknown key in demikernel; did you mean "local_ipv4_addr"?',
    write: "local_ipv4_addr:",
    position: { line: 2, column: 3, length: 14 },
  });
  expect(mistake(`${address}demikernl: {}\n`).problems[0]).toMatchObject({
    message: 'unknown key in the configuration; did you mean "demikernel"?',
    position: { line: 3, column: 1 },
  });
  expect(mistake(`${address}zzzzzzzzzzzz: 1\n`).problems[0]?.write).toBeUndefined();
});

test("every mistake of a file is reported, in the order of its lines", () => {
  const text = `${address}raw_socket:\n  backend: xpd\ninetstack_config:\n  frames: many\n  mtu: 20\n`;
  const problems = mistake(text).problems.map(({ position, write }) => [position?.line, write]);
  expect(problems).toEqual([
    [4, "backend: xdp"],
    [6, "frames: 16384"],
    [7, "mtu: 1500"],
  ]);
});

const table: [name: string, text: string, line: number, column: number, message: RegExp][] = [
  [
    "a bad key of the ARP table",
    `${address}inetstack_config:\n  arp_table:\n    "zz": 10.0.0.9\n`,
    5,
    5,
    /"zz"/,
  ],
  [
    "a bad value of the ARP table",
    `${address}inetstack_config:\n  arp_table: { "02:00:00:00:00:09": x }\n`,
    4,
    37,
    /"x"/,
  ],
  ["an item of a list", `${address}dpdk:\n  eal_init: ["", 4]\n`, 4, 18, /^4 is not accepted/],
  ["a section that is a text", `${address}dpdk: no\n`, 3, 7, /"no"/],
  ["a fraction", `${address}runtime:\n  spin_us: 1.5\n`, 4, 12, /1\.5/],
  ["a hexadecimal address", "demikernel:\n  local_ipv4_addr: 0x0a.0.0.2\n", 2, 20, /0x0a/],
  ["the unspecified address", "demikernel:\n  local_ipv4_addr: 0.0.0.0\n", 2, 20, /unspecified/],
  ["the network's address", "demikernel:\n  local_ipv4_addr: 10.0.0.0\n", 2, 20, /network address/],
  [
    "the broadcast address",
    "demikernel:\n  local_ipv4_addr: 10.0.0.255\n",
    2,
    20,
    /broadcast address/,
  ],
  [
    "a gateway elsewhere",
    `${address}  gateway_ipv4_addr: 10.0.1.1\n`,
    3,
    22,
    /not in the own network/,
  ],
  [
    "a group link address",
    `${address}  local_link_addr: "01:00:5e:00:00:01"\n`,
    3,
    20,
    /group address/,
  ],
  [
    "a ring of an odd size",
    `${address}inetstack_config:\n  ring_entries: 1000\n`,
    4,
    17,
    /power of two/,
  ],
  ["no address", "demikernel:\n  local_ipv4_prefix: 24\n", 1, 1, /needs an address/],
  ["the same key twice", `${address}  local_ipv4_addr: 10.0.0.3\n`, 3, 3, /unique/],
  ["a tab", "demikernel:\n\tlocal_ipv4_addr: 10.0.0.2\n", 2, 1, /[Tt]ab/],
];

test.each(table)("%s is found where it stands", (_name, text, line, column, message) => {
  const [problem] = mistake(text).problems;
  expect(problem?.message).toMatch(message);
  expect(problem?.position).toMatchObject({ line, column });
  expect(problem?.expected).toBeString();
});

test("an alias without an anchor is a mistake of the file", () => {
  expect(mistake("demikernel: *nowhere\n").problems[0]?.message).toContain("nowhere");
});

test("a mistake in the environment names the variable", () => {
  expect(mistake(address, { MTU: "big" }).message).toContain('environment: MTU: "big"');
  expect(mistake(address, { LIBOS: "catpowdr" }).message).toContain("write: LIBOS=catpowder");
  expect(mistake(address, { NODELAY: "maybe" }).message).toContain("write: NODELAY=true");
  expect(mistake(address, { LINGER: "-1" }).message).toContain("LINGER");
});

test("an object is checked by the same rules, without positions", () => {
  const raw = { demikernel: { local_ipv4_addr: "10.0.0.2" }, runtime: { spin_ms: 1 } };
  expect(() => resolveConfig(raw, { environment: {} })).toThrow(/did you mean "spin_us"/);
  expect(() => resolveConfig("text", { environment: {} })).toThrow(ConfigError);
});

test("a file that is not there, or not named, says what to do", () => {
  expect(() => loadConfig("no-such.yaml")).toThrow(/cp config\/tap.yaml no-such.yaml/);
  expect(() => loadConfig(undefined, { environment: {} })).toThrow(/CONFIG_PATH=config\/tap.yaml/);
});

test("no text makes the parser fail with anything but a DemibunError", () => {
  const piece = fc.constantFrom(
    "demikernel",
    "local_ipv4_addr",
    "raw_socket",
    ":",
    " ",
    "\n",
    "  ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "&a",
    "*a",
    '"',
    "'",
    "#",
    "10.0.0.2",
    "!!map",
    "<<",
    "---",
    "null",
    "1e999",
    "\t",
    "__proto__",
    "constructor",
  );
  const text = fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(text, (yaml) => {
      try {
        return parseConfig(yaml, "fuzz.yaml", { environment: {} }).libos === "catpowder";
      } catch (error) {
        return error instanceof DemibunError;
      }
    }),
    { numRuns: 2000 },
  );
});
