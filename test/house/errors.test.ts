import { expect, test } from "bun:test";
import * as layout from "../../assembly/layout";
import { DemibunError, errnoCode, errnoTable, errnoText, fail } from "../../src/errors";

test("every errno of the layout has a code and a text of its own", () => {
  const numbers = Object.entries(layout).filter(([name]) => name.startsWith("ERRNO_"));
  expect(new Set(errnoTable.map(({ errno }) => errno)).size).toBe(errnoTable.length);
  for (const [, value] of numbers)
    expect(errnoTable.map(({ errno }) => errno)).toContain(Number(value));
  for (const { code, text } of errnoTable) expect(text, code).not.toBe(code);
});

test("an errno of either sign has the same code", () => {
  expect(errnoCode(-22)).toBe("EINVAL");
  expect(errnoCode(98)).toBe("EADDRINUSE");
  expect(errnoCode(95)).toBe("ENOTSUP");
  expect(errnoCode(-9999)).toBe("E9999");
  expect(errnoText(9999)).toBe("unknown error 9999");
});

test("fail throws code, errno, operation and hint", () => {
  let thrown: unknown;
  try {
    fail("open tap", -1, "run as root");
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(DemibunError);
  expect(thrown).toMatchObject({
    name: "DemibunError",
    code: "EPERM",
    errno: 1,
    operation: "open tap",
    hint: "run as root",
  });
  expect(String(thrown)).toBe(
    "DemibunError: open tap: the operation needs a privilege this process does not have (EPERM)\n" +
      "  hint: run as root",
  );
});

test("a detail of several lines keeps the code on the first", () => {
  const error = new DemibunError({
    operation: "config",
    errno: 22,
    detail: "bad\n  line",
    cause: 1,
  });
  expect(error.message).toBe("config: bad (EINVAL)\n  line");
  expect(error.cause).toBe(1);
  expect(error.hint).toBeUndefined();
});
