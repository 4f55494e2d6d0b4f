/** What code in a script may say, and what a false assertion is answered with. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { CodeValue } from "../../../src/packetdrill/language/code-syntax";
import { CodeEvaluator } from "../../../src/packetdrill/language/evaluate";
import { ScriptError } from "../../../src/packetdrill/language/script-error";

const names = new Map<string, CodeValue>([
  ["tcpi_snd_cwnd", 10],
  ["tcpi_rtt", 5200],
  ["tcpi_ca_state", 3],
  ["tcpi_options", 7],
  ["tcpi_pacing_rate", 18446744073709551615n],
]);

function run(code: string, evaluator = new CodeEvaluator()): string[] {
  const text = `+0 %{${code.split("\n")[0]}`;
  const position = { file: "a.pkt", line: 4, column: 6, text };
  return evaluator.run({ kind: "code", code, position }, names);
}

/** The value of an expression as `print` writes it. */
function value(expression: string): string {
  return run(`print(${expression})`)[0] as string;
}

function failure(code: string): ScriptError {
  try {
    run(code);
  } catch (error) {
    if (error instanceof ScriptError) return error;
    throw error;
  }
  throw new Error("did not fail");
}

test.each([
  ["1 + 2 * 3", "7"],
  ["(1 + 2) * 3", "9"],
  ["-2 ** 2", "-4"],
  ["2 ** 3 ** 2", "512"],
  ["2 ** -1", "0.5"],
  ["7 // 2", "3"],
  ["-7 // 2", "-4"],
  ["-7 % 3", "2"],
  ["7.5 // 2", "3"],
  ["1 / 4", "0.25"],
  ["6 & 3 | 8 ^ 1", "11"],
  ["1 << 40", "1099511627776"],
  ["-1 >> 3", "-1"],
  ["~5", "-6"],
  ["0xff + 0b11", "258"],
  ["1e3 + .5", "1000.5"],
  ["2 ** 64 - 1 == tcpi_pacing_rate", "True"],
  ["tcpi_pacing_rate + 1", "18446744073709551616"],
  ["9007199254740991 * 3", "27021597764222973"],
  ["1 < 2 < 3", "True"],
  ["1 < 3 < 2", "False"],
  ["5000 <= tcpi_rtt <= 20000", "True"],
  ["1 == 1.0 == True", "True"],
  ["not 1 == 2", "True"],
  ["0 or 5", "5"],
  ["0 and undefined_name", "0"],
  ["1 or undefined_name", "1"],
  ["'a' + \"b\" 'c'", "abc"],
  ["'ab' * 3", "ababab"],
  ["'a' < 'b'", "True"],
  ["'srtt=%d us, %s, %5.2f|%-4d|%04x%%' % (5.7, 'x', 1, 3, 255)", "srtt=5 us, x,  1.00|3   |00ff%"],
  ["'%r' % 'it'", "'it'"],
  ["tcpi_ca_state in (TCP_CA_CWR, TCP_CA_Recovery)", "True"],
  ["3 not in [1, 2]", "True"],
  ["None is None", "True"],
  ["None is not None", "False"],
  ["(1, 'a', None)", "[1, 'a', None]"],
  ["[1, 2] + [3]", "[1, 2, 3]"],
  ["[5, 6, 7][-1]", "7"],
  ["'yes' if tcpi_rtt else 'no'", "yes"],
  ["abs(-3), min(3, 1, 2), max([3, 1])", "3 1 3"],
  ["int(3.9), int('12'), float(2), round(2.5), round(3.5), round(1.256, 2)", "3 12 2 2 4 1.26"],
  ["len('abc'), len([1]), str(5) + '!', bool(0)", "3 1 5! False"],
  ["TCP_ESTABLISHED, tcpi_options & TCPI_OPT_SYN_DATA", "1 0"],
])("%s is %s", (expression, expected) => {
  expect(value(expression)).toBe(expected);
});

describe("statements", () => {
  test.each([
    ["one line with semicolons", " a = 1; a += 2; print(a); ", ["3"]],
    ["lines", "\na = 1\n\nprint(a) # said\nprint(\n  a,\n  2)\n", ["1", "1 2"]],
    ["lines that begin behind the bracket", " a = 1\n   print(a)\n   print(2) ", ["1", "2"]],
    [
      "if on one line",
      "\nif 1 > 2: print(1)\nelif 2 > 1: print(2); print(3)\nelse: print(4)",
      ["2", "3"],
    ],
    [
      "blocks",
      "\nif 1:\n  if 0:\n    print(1)\n  else:\n    print(2)\n  print(3)\nelse:\n  print(4)\nprint(5)\n",
      ["2", "3", "5"],
    ],
    ["a block behind the bracket", "if 0:\n  print(1)\nelse:\n  print(2)\n", ["2"]],
    ["a block behind the bracket at its left edge", " if 1:\nprint(1)\nprint(2)", ["1", "2"]],
    ["a line carried on", " print(1 + \\\n 2)", ["3"]],
    ["nothing", " pass ", []],
  ])("%s", (_, code, printed) => {
    expect(run(code)).toEqual(printed);
  });

  test("local names last from piece to piece", () => {
    const evaluator = new CodeEvaluator();
    run("cwnd = tcpi_snd_cwnd", evaluator);
    expect(run("cwnd += 5; print(cwnd)", evaluator)).toEqual(["15"]);
  });
});

describe("an assertion that is false", () => {
  test.each([
    ["assert tcpi_snd_cwnd == 4", "tcpi_snd_cwnd == 4 is false: tcpi_snd_cwnd is 10"],
    [
      "assert tcpi_snd_cwnd == 4, tcpi_snd_cwnd",
      "tcpi_snd_cwnd == 4 is false: tcpi_snd_cwnd is 10",
    ],
    [
      "assert tcpi_rtt < 5000, 'srtt=%d us' % tcpi_rtt",
      "tcpi_rtt < 5000 is false: tcpi_rtt is 5200: srtt=5200 us",
    ],
    [
      "assert tcpi_ca_state == TCP_CA_Open",
      "tcpi_ca_state == TCP_CA_Open is false: tcpi_ca_state is 3, TCP_CA_Open is 0",
    ],
    [
      "assert (tcpi_options & TCPI_OPT_SYN_DATA) != 0, tcpi_options",
      "(tcpi_options & TCPI_OPT_SYN_DATA) != 0 is false: tcpi_options is 7, TCPI_OPT_SYN_DATA is 32",
    ],
    ["assert 1 > 2", "1 > 2 is false"],
  ])("%s", (code, reason) => {
    expect(failure(code)).toMatchObject({ kind: "assertion", reason });
  });

  test("names its file, line and column", () => {
    const { message } = failure("assert True\n  assert (\n    1 > 2)");
    expect(message).toBe("a.pkt:5:10: ( 1 > 2) is false\n    assert (\n           ^");
    expect(failure(" assert 0").message).toStartWith("a.pkt:4:14: 0 is false\n  +0 %{ assert 0\n");
  });
});

test.each([
  ["assert tcpi_snd_cwmd == 1", "unknown name “tcpi_snd_cwmd”: did you mean “tcpi_snd_cwnd”?"],
  ["absolut(1)", "unknown function “absolut”"],
  ["lenn('')", "unknown function “lenn”: did you mean “len”?"],
  ["1 / 0", "division by zero"],
  ["1 % 0", "division by zero"],
  ["'a' - 1", "“-” does not take 'a' and 1"],
  ["'a' < 1", "'a' and 1 have no order"],
  ["1 in 2", "nothing is in 2: it is no list"],
  ["1.5 & 1", "“&” takes integers"],
  ["2 ** 100000", "the power is too large"],
  ["1 << 100000", "the shift is too large"],
  ["'a' * 100000", "the string is too long"],
  ["'%d %d' % 1", "the format takes more values than there are"],
  ["'%d' % (1, 2)", "the format takes fewer values than there are"],
  ["'%d' % 'x'", "'x' is no number"],
  ["[1][1]", "there is no item 1"],
  ["tcpi_rtt = 1", "tcpi_rtt is given by the stack, not to be set"],
  ["int('x')", "'x' is no integer"],
])("%s: %s", (code, reason) => {
  expect(failure(code)).toMatchObject({ kind: "evaluation", reason });
});

test.each([
  [
    "import os",
    "“import” is not part of this language: it knows assert, if, names and expressions",
  ],
  [
    "while 1: pass",
    "“while” is not part of this language: it knows assert, if, names and expressions",
  ],
  ["assert 1 2", "expected the line's end or “;”, found “2”"],
  ["assert", "expected an expression, found the line's end"],
  ["if 1 print(2)", "expected “:” behind the condition, found “print”"],
  ["if 1:\npass\n  pass", "this line is indented without an “if” above"],
  ["\nif 1:\n  pass\n pass", "this line is indented like none of the blocks around it"],
  ["print('a)", "this string has no end on its line"],
  ["a.b", "expected the line's end or “;”, found “.”"],
  ["a = $", "“$” is not understood"],
  ["(1", "expected “)” or “,” and one more, found the line's end"],
  [`${"(".repeat(200)}1`, "nested too deeply"],
  [`${"1 ** ".repeat(200)}1`, "nested too deeply"],
])("%s: %s", (code, reason) => {
  expect(failure(code)).toMatchObject({ kind: "syntax", reason });
});

test("nothing of the engine is reached by a name", () => {
  for (const name of ["constructor", "__proto__", "toString", "globalThis", "process"]) {
    expect(failure(`print(${name})`).kind).toBe("evaluation");
    expect(failure(`${name}()`).kind).toBe("evaluation");
  }
});

test("any code runs or is refused with a place in it", () => {
  const pieces = fc.constantFrom(
    ..."assert if else elif : ; , ( ) [ ] + - * / // % ** & | ^ << >> ~ == < <= not in and or is = += tcpi_rtt a 0 1 1.5 1e308 1e999 99999999999999999999 'a' '%d%s%.0g' None True print max round len int float abs str -1 \n \t".split(
      " ",
    ),
    "\n  ",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 14 }), (list) => {
      try {
        run(list.join(" "));
      } catch (error) {
        expect(error).toBeInstanceOf(ScriptError);
      }
    }),
    { numRuns: 5000 },
  );
});
