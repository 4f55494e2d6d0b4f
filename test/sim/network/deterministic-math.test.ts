import { describe, expect, test } from "bun:test";
import {
  cosineOfTurns,
  exponential,
  logarithm,
  power,
  sineOfTurns,
} from "../../../src/sim/deterministic-math";
import { Random } from "../../../src/sim/random";

const random = new Random("math");

function expectNear(value: number, wanted: number): void {
  expect(Math.abs(value - wanted)).toBeLessThan(1e-12 * Math.max(1, Math.abs(wanted)));
}

describe("functions that every engine computes alike", () => {
  test("the logarithm is Math.log's", () => {
    for (let round = 0; round < 5000; round++) {
      const value = 2 ** (random.float() * 2000 - 1000);
      expectNear(logarithm(value), Math.log(value));
      const near = 1 + (random.float() - 0.5) / 2 ** random.below(40);
      expect(Math.abs(logarithm(near) / (Math.log(near) || 1) - (near === 1 ? 0 : 1))).toBeLessThan(
        1e-12,
      );
    }
    expect(logarithm(1)).toBe(0);
    expect(logarithm(0)).toBe(Number.NEGATIVE_INFINITY);
  });

  test("exponential and power are Math.exp's and Math.pow's", () => {
    for (let round = 0; round < 5000; round++) {
      const exponent = random.float() * 1300 - 650;
      expect(Math.abs(exponential(exponent) / Math.exp(exponent) - 1)).toBeLessThan(1e-12);
      const base = random.float() * 1000 + 1e-6;
      const times = random.float() * 20 - 10;
      expect(Math.abs(power(base, times) / base ** times - 1)).toBeLessThan(1e-12);
    }
    expect(exponential(0)).toBe(1);
  });

  test("sine and cosine are Math.sin's and Math.cos's", () => {
    for (let round = 0; round < 5000; round++) {
      const turns = random.float();
      expectNear(sineOfTurns(turns), Math.sin(turns * 2 * Math.PI));
      expectNear(cosineOfTurns(turns), Math.cos(turns * 2 * Math.PI));
    }
    expect([0, 0.25, 0.5, 0.75].map(sineOfTurns)).toEqual([0, 1, -0, -1]);
    expect([0, 0.25, 0.5, 0.75].map(cosineOfTurns)).toEqual([1, -0, -1, 0]);
  });
});

describe("distributions", () => {
  const count = 20_000;
  const draw = (one: () => number) => Array.from({ length: count }, one);
  const mean = (list: number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;

  test("normal numbers have their mean and deviation", () => {
    const list = draw(() => random.normal(10, 3));
    expect(mean(list)).toBeCloseTo(10, 0);
    expect(Math.sqrt(mean(list.map((value) => (value - 10) ** 2)))).toBeCloseTo(3, 0);
    const within = list.filter((value) => Math.abs(value - 10) < 3).length / count;
    expect(within).toBeGreaterThan(0.66);
    expect(within).toBeLessThan(0.705);
  });

  test("exponential numbers have their mean and median", () => {
    const list = draw(() => random.exponential(5)).sort((left, right) => left - right);
    expect(Math.abs(mean(list) - 5)).toBeLessThan(0.2);
    expect(Math.abs((list[count / 2] as number) - 5 * Math.LN2)).toBeLessThan(0.2);
  });

  test("magnitudes are spread evenly over the decades", () => {
    const list = draw(() => random.magnitude(1, 1000));
    expect(Math.min(...list)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...list)).toBeLessThanOrEqual(1000);
    const first = list.filter((value) => value < 10).length / count;
    expect(Math.abs(first - 1 / 3)).toBeLessThan(0.02);
  });

  test("a seed gives the same numbers for ever", () => {
    const fixed = new Random(1).split("link/a-b/ab/delay");
    const drawn = [fixed.normal(0, 1), fixed.exponential(1), fixed.magnitude(1, 100)];
    expect(drawn).toEqual([-0.7608129655434185, 1.4244061073906578, 54.988259639120876]);
  });
});
