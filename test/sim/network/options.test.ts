import { expect, test } from "bun:test";
import { DemibunError } from "../../../src/errors";
import { Link } from "../../../src/sim/network/link";
import type { LinkOptions } from "../../../src/sim/network/options";
import { Random } from "../../../src/sim/random";
import { Scheduler } from "../../../src/sim/scheduler";
import { Recorder } from "./recorder";

function refusal(options: unknown): string {
  const scheduler = new Scheduler();
  const [a, b] = [new Recorder("a", scheduler), new Recorder("b", scheduler)];
  try {
    new Link({ scheduler, random: new Random(1), name: "wan" }, a, b, options as LinkOptions);
  } catch (error) {
    if (!(error instanceof DemibunError)) throw error;
    expect(error.code).toBe("EINVAL");
    return error.message.split("\n  hint")[0] as string;
  }
  return "accepted";
}

test.each([
  [
    { loss: 2 },
    "link wan, both directions: loss: 2 is not allowed; expected a probability from 0 to 1 (EINVAL)",
  ],
  [
    { ab: { delayMs: -1 } },
    "link wan, ab: delayMs: -1 is not allowed; expected milliseconds, 0 or more (EINVAL)",
  ],
  [
    { ba: { delay: 1 } },
    'link wan, ba: delay: unknown key (did you mean "delayMs"?); allowed: delayMs, jitterReorders, ',
  ],
  [
    { loss: { gilbertElliott: { goodToBad: 7, badToGood: 1 } } },
    "loss.gilbertElliott.goodToBad: 7 is not allowed; expected a probability",
  ],
  [{ loss: { bernouli: 0.1 } }, 'loss: {"bernouli":0.1} is not allowed; expected a probability, {'],
  [
    { delayMs: { uniform: [5, 1] } },
    "delayMs.uniform: [5,1] is not allowed; expected lowest first",
  ],
  [{ delayMs: Number.NaN }, "delayMs: NaN is not allowed; expected milliseconds"],
  [{ bandwidthBitsPerSecond: Number.POSITIVE_INFINITY }, "Infinity is not allowed; expected bits"],
  [{ bandwidthBitsPerSecond: 0 }, "bandwidthBitsPerSecond: 0 is not allowed; expected bits per"],
  [{ queue: { kind: "fifo" } }, 'expected a queue of kind "drop-tail", "red" or "codel"'],
  [{ queue: { kind: "red", minimumBytes: 9, maximumBytes: 5 } }, "minimumBytes below maximumBytes"],
  [{ queue: { kind: "red", minimumBytes: 9 } }, "queue.maximumBytes: is missing"],
  [
    { corrupt: { probability: 0.1, what: "word" } },
    'corrupt.what: "word" is not allowed; expected "bit"',
  ],
  [{ mtu: 67 }, "mtu: 67 is not allowed; expected bytes, 68 or more"],
  [{ ab: {}, loss: 0.1 }, "link wan: loss stands beside ab and ba"],
  ["fast", 'link wan, both directions: "fast" is not allowed; expected an object of delayMs'],
])("impossible options are refused in words: %j", (options, message) => {
  expect(refusal(options)).toContain(message);
});

test("every mistake is told at once", () => {
  const message = refusal({ loss: -1, delayMs: -1 });
  expect(message).toContain("loss: -1");
  expect(message).toContain("delayMs: -1");
});

test("options that went through JSON are the same", () => {
  const options: LinkOptions = {
    ab: {
      delayMs: { exponential: { minimum: 1, mean: 2 } },
      queue: { kind: "codel", targetMs: 5, intervalMs: 100, marksEcn: true },
      loss: { gilbertElliott: { goodToBad: 0.1, badToGood: 0.2, lossBad: 0.5 } },
      reorder: { swap: 0.1 },
    },
    ba: { rateLimit: { bitsPerSecond: 1000, burstBytes: 10 }, duplicate: { probability: 0.1 } },
  };
  expect(refusal(JSON.parse(JSON.stringify(options)))).toBe("accepted");
});
