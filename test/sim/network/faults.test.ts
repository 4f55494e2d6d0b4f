import { describe, expect, test } from "bun:test";
import type { DirectionOptions, LossOptions } from "../../../src/sim/network/options";
import { frameOf, numberOf, run, sendMany, wire } from "./recorder";

const ms = 1e6;

function lossOf(loss: LossOptions, count: number): boolean[] {
  const setting = wire({ loss }, "losses");
  sendMany(setting, count);
  const arrived = new Set(setting.b.numbers);
  return Array.from({ length: count }, (_, index) => !arrived.has(index + 1));
}

function share(list: readonly boolean[]): number {
  return list.filter(Boolean).length / list.length;
}

describe("loss", () => {
  test("Bernoulli loses each frame with its probability, whatever befell the one before", () => {
    const lost = lossOf({ bernoulli: 0.2 }, 20_000);
    expect(Math.abs(share(lost) - 0.2)).toBeLessThan(0.01);
    const afterLoss = lost.filter((_, index) => index > 0 && lost[index - 1] === true);
    expect(Math.abs(share(afterLoss) - 0.2)).toBeLessThan(0.02);
    expect(lossOf(0.2, 20_000)).toEqual(lost);
  });

  test("Gilbert and Elliott's loses in bursts of the length that theory says", () => {
    const goodToBad = 0.01;
    const badToGood = 0.25;
    const lost = lossOf({ gilbertElliott: { goodToBad, badToGood } }, 50_000);
    const stationary = goodToBad / (goodToBad + badToGood);
    expect(Math.abs(share(lost) - stationary)).toBeLessThan(0.006);
    const bursts = lost.filter((one, index) => one && lost[index - 1] !== true).length;
    const length = lost.filter(Boolean).length / bursts;
    expect(Math.abs(length - 1 / badToGood)).toBeLessThan(0.4);
  });

  test("Gilbert and Elliott's good state may lose and its bad one deliver", () => {
    const model = { goodToBad: 0.5, badToGood: 0.5, lossGood: 0.1, lossBad: 0.5 };
    expect(Math.abs(share(lossOf({ gilbertElliott: model }, 20_000)) - 0.3)).toBeLessThan(0.015);
  });

  test("every n-th and listed frames are lost, and no other", () => {
    const numbers = (lost: readonly boolean[]) =>
      lost.flatMap((one, index) => (one ? [index + 1] : []));
    expect(numbers(lossOf({ everyNth: 3 }, 10))).toEqual([3, 6, 9]);
    expect(numbers(lossOf({ packets: [1, 4, 5] }, 10))).toEqual([1, 4, 5]);
  });

  test("frames are numbered as they are sent, also those that the queue drops", () => {
    const queue = { kind: "drop-tail", packetsMax: 1 } as const;
    const setting = wire({ bandwidthBitsPerSecond: 8e5, queue, loss: { packets: [2, 5] } });
    for (let number = 1; number <= 4; number++) setting.a.send(frameOf(number));
    run(setting.scheduler, 100 * ms);
    setting.a.send(frameOf(5));
    setting.a.send(frameOf(6));
    run(setting.scheduler);
    expect(setting.b.numbers).toEqual([1, 6]);
  });
});

describe("delay", () => {
  const delaysOf = (delayMs: DirectionOptions["delayMs"]) => {
    const setting = wire({ delayMs, jitterReorders: true });
    const count = 5000;
    const everyNs = 1000 * ms;
    sendMany(setting, count, { everyNs });
    return setting.b.times.map((timeNs, index) => (timeNs - index * everyNs) / ms);
  };
  const mean = (list: number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;

  test("uniform delays fill their range", () => {
    const delays = delaysOf({ uniform: [10, 30] });
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...delays)).toBeLessThanOrEqual(30);
    expect(Math.abs(mean(delays) - 20)).toBeLessThan(0.5);
  });

  test("normal delays have their mean and are never negative", () => {
    expect(Math.abs(mean(delaysOf({ normal: { mean: 50, deviation: 5 } })) - 50)).toBeLessThan(0.5);
    expect(Math.min(...delaysOf({ normal: { mean: 1, deviation: 5 } }))).toBe(0);
  });

  test("exponential delays have their minimum and mean", () => {
    const delays = delaysOf({ exponential: { minimum: 10, mean: 15 } });
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(10);
    expect(Math.abs(mean(delays) - 15)).toBeLessThan(0.5);
  });

  test("a trace is repeated", () => {
    expect(delaysOf({ trace: [1, 5, 2] }).slice(0, 7)).toEqual([1, 5, 2, 1, 5, 2, 1]);
  });

  test("jitter keeps the order unless it may reorder", () => {
    const inOrder = wire({ delayMs: { uniform: [0, 10] } });
    sendMany(inOrder, 500, { everyNs: ms });
    expect(inOrder.b.numbers).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
    const mixed = wire({ delayMs: { uniform: [0, 10] }, jitterReorders: true });
    sendMany(mixed, 500, { everyNs: ms });
    expect(mixed.b.numbers).not.toEqual(inOrder.b.numbers);
    expect(mixed.b.numbers.toSorted((left, right) => left - right)).toEqual(inOrder.b.numbers);
  });
});

describe("duplication, reordering, damage", () => {
  test("copies arrive behind the original and belong to nobody else", () => {
    const setting = wire({ duplicate: { probability: 1, copies: 2, delayMs: 3 }, delayMs: 1 });
    sendMany(setting, 1);
    expect(setting.b.times).toEqual([1 * ms, 4 * ms, 7 * ms]);
    const [first, second] = setting.b.arrivals;
    expect(first?.frame.buffer).not.toBe(second?.frame.buffer);
    expect(setting.events.filter(({ what }) => what === "duplicated").length).toBe(2);
  });

  test("a late frame is overtaken", () => {
    const setting = wire({ reorder: { probability: 0.1, extraMs: 5 }, delayMs: 1 });
    sendMany(setting, 1000, { everyNs: ms });
    const late = setting.events.filter(({ what }) => what === "reordered");
    expect(Math.abs(late.length - 100)).toBeLessThan(30);
    for (const { frame, timeNs } of late) {
      const arrival = setting.b.arrivals.find((one) => numberOf(one.frame) === numberOf(frame));
      expect(arrival?.timeNs).toBe(timeNs + 6 * ms);
    }
  });

  test("a swapped frame arrives right behind the next one, or after a while on its own", () => {
    const setting = wire({ reorder: { swap: 1, holdMs: 20 }, delayMs: 1 });
    sendMany(setting, 5, { everyNs: ms });
    expect(setting.b.numbers).toEqual([2, 1, 4, 3, 5]);
    expect(setting.b.times).toEqual([2 * ms, 2 * ms, 4 * ms, 4 * ms, 25 * ms]);
  });

  test("a flipped bit is one bit, a byte one byte, a burst at most 32 bits", () => {
    for (const [what, bitsMax] of [
      ["bit", 1],
      ["byte", 8],
      ["burst", 32],
    ] as const) {
      const setting = wire({ corrupt: { probability: 1, what } });
      sendMany(setting, 300, { bytes: 200 });
      const places = new Set<number>();
      setting.b.arrivals.forEach(({ frame }, index) => {
        const clean = frameOf(index + 1, 200);
        const flipped: number[] = [];
        for (let bit = 0; bit < 1600; bit++) {
          const at = bit >>> 3;
          const difference = (frame[at] as number) ^ (clean[at] as number);
          if ((difference & (0x80 >>> (bit & 7))) !== 0) flipped.push(bit);
        }
        const first = flipped[0] as number;
        const last = flipped.at(-1) as number;
        expect(last - first).toBeLessThan(bitsMax);
        if (what === "byte") expect(first >>> 3).toBe(last >>> 3);
        places.add(first >>> 3);
      });
      expect(places.size).toBeGreaterThan(100);
    }
  });

  test("a truncated frame keeps at least the bytes it must", () => {
    const setting = wire({ truncate: { probability: 0.5, bytesMin: 40 } });
    sendMany(setting, 400, { bytes: 140 });
    const lengths = setting.b.arrivals.map(({ frame }) => frame.length);
    expect(Math.min(...lengths)).toBeLessThan(45);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(40);
    const whole = lengths.filter((length) => length === 140).length;
    expect(Math.abs(whole - 200)).toBeLessThan(40);
  });
});

describe("streams of randomness", () => {
  const base: DirectionOptions = {
    loss: 0.1,
    duplicate: 0.05,
    reorder: { probability: 0.1, extraMs: 4 },
    delayMs: { uniform: [1, 2] },
    truncate: { probability: 0.05 },
    corrupt: { probability: 0.1, what: "bit" },
  };

  /** Numbers of the frames that each fault hit. */
  function hits(options: DirectionOptions) {
    const setting = wire(options, "streams");
    // Numbers that damage cannot change: the order of sending.
    const sent: Record<string, number[]> = {};
    let number = 0;
    setting.link.ab.listen(({ what, reason }) => {
      if (what === "sent") number++;
      const key = `${what} ${reason ?? ""}`;
      sent[key] = [...(sent[key] ?? []), number];
    });
    sendMany(setting, 2000, { everyNs: 10 * ms });
    return sent;
  }

  test("a fault that is switched off shifts none of the others", () => {
    const all = hits(base);
    const without = (key: keyof DirectionOptions) => {
      const { [key]: _, ...rest } = base;
      return hits(rest);
    };
    expect(all["dropped loss"]?.length).toBeGreaterThan(100);
    for (const key of ["duplicate", "reorder", "corrupt", "truncate", "delayMs"] as const) {
      expect(without(key)["dropped loss"]).toEqual(all["dropped loss"] as number[]);
    }
    // Without loss more frames are duplicated, and all those that were before.
    const lossless = without("loss");
    for (const what of ["duplicated ", "reordered ", "corrupted ", "truncated "]) {
      expect(all[what]?.length).toBeGreaterThan(20);
      expect(lossless[what]).toEqual(expect.arrayContaining(all[what] as number[]));
    }
  });

  test("another link and the other direction change nothing, another seed does", () => {
    const one = wire({ ab: base, ba: { loss: 0.5 } }, 7);
    const other = wire({ ab: base }, 7);
    for (let number = 1; number <= 500; number++) one.b.send(frameOf(number));
    for (const setting of [one, other]) sendMany(setting, 500);
    expect(one.b.arrivals).toEqual(other.b.arrivals);
    const third = wire({ ab: base }, 8);
    sendMany(third, 500);
    expect(third.b.arrivals).not.toEqual(other.b.arrivals);
  });
});
