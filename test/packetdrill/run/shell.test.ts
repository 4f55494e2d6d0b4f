/** Which commands a script's shell text stands for, and what they set. */
import { describe, expect, test } from "bun:test";
import { shellCommands } from "../../../src/packetdrill/targets/shell";
import { settingsOf } from "../../../src/packetdrill/targets/stack-settings";

const none = () => undefined;

function words(text: string): string[][] {
  return shellCommands(text, none).map((command) => [...command.words]);
}

describe("shell text", () => {
  test("commands end at line breaks, semicolons, && and ||", () =>
    expect(words("a 1\nb 2; c && d || e | f\n")).toEqual([
      ["a", "1"],
      ["b", "2"],
      ["c"],
      ["d"],
      ["e"],
      ["f"],
    ]));

  test("quotes hold blanks together, also within a word", () =>
    expect(words(`a x="1 2" 'b  c'"d" e\\ f`)).toEqual([["a", "x=1 2", "b  cd", "e f"]]));

  test("comments and continued lines", () =>
    expect(words("# all of it\na b # c\nd \\\n  e#f\n")).toEqual([
      ["a", "b"],
      ["d", "e#f"],
    ]));

  test("arithmetic is worked out, inside and outside of quotes", () =>
    expect(words(`a $((3 * 2+1)) "x $(( (8-2)/4 )) $((7 % 4))" y$((-2))`)).toEqual([
      ["a", "7", "x 1 3", "y-2"],
    ]));

  test("a division by 0 is told", () => expect(() => words("a $((1/0))")).toThrow("divides by 0"));

  test("only the file that takes the output remains of redirections", () =>
    expect(shellCommands("a 1 > /dev/null 2>&1\necho 2 >> b", none)).toEqual([
      { words: ["a", "1"], output: "/dev/null" },
      { words: ["echo", "2"], output: "b" },
    ]));

  test("files of a shell stand for what they have in them", () => {
    const files: Record<string, string> = {
      "../set.sh": "#!/bin/bash\na 1\n. ./more\n",
      "./more": "b 2",
      "./set.py": "#!/usr/bin/env python3\nimport os\n",
    };
    const commands = shellCommands("../set.sh && sh ./more; ./set.py x; sh -c 'c 3'", (path) => {
      return files[path];
    });
    expect(commands.map((command) => command.words.join(" "))).toEqual([
      "a 1",
      "b 2",
      "b 2",
      "./set.py x",
      "c 3",
    ]);
  });

  test("files that run each other come to an end", () => {
    const commands = shellCommands("./a.sh", () => "./a.sh");
    expect(commands.map((command) => command.words)).toEqual([["./a.sh"]]);
  });
});

describe("settings", () => {
  const timestampsOff = { timestamps: false };

  test("sysctl, echo into /proc/sys, and programs that take its paths", () => {
    expect(settingsOf("sysctl -q -w net.ipv4.tcp_timestamps=0", none)).toEqual(timestampsOff);
    expect(settingsOf("sysctl net/ipv4/tcp_timestamps=0", none)).toEqual(timestampsOff);
    expect(settingsOf("echo 0 > /proc/sys/net/ipv4/tcp_timestamps", none)).toEqual(timestampsOff);
    expect(settingsOf("./set.py /proc/sys/net/ipv4/tcp_timestamps=0", none)).toEqual(timestampsOff);
  });

  test("what would put the machine's settings back does nothing", () =>
    expect(settingsOf("/tmp/sysctl_restore_123.sh", none)).toEqual({}));

  test("a program that could do anything is not supported", () =>
    expect(() => settingsOf("./set.py 3", none)).toThrow("has no shell to run in"));
});
