/** Whatever a link is told and given: no frame is lost from sight, and time never goes back. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { DirectionOptions } from "../../../src/sim/network/options";
import type { FrameEvent } from "../../../src/sim/trace";
import { frameOf, run, type Wire, wire } from "./recorder";

const ms = 1e6;
const probability = fc.constantFrom(0, 0.01, 0.1, 0.5, 1);
const milliseconds = fc.constantFrom(0, 0.001, 1, 7.3, 40);

/** Maybe a key. */
function maybe<T>(arbitrary: fc.Arbitrary<T>) {
  return fc.option(arbitrary, { nil: undefined, freq: 2 });
}

const directionOptions: fc.Arbitrary<DirectionOptions> = fc.record({
  delayMs: maybe(
    fc.oneof(
      milliseconds,
      fc.record({ uniform: fc.constant<[number, number]>([1, 9]) }),
      fc.record({ normal: fc.record({ mean: milliseconds, deviation: milliseconds }) }),
      fc.record({ exponential: fc.record({ minimum: fc.constant(1), mean: fc.constant(8) }) }),
      fc.record({ trace: fc.array(milliseconds, { minLength: 1 }) }),
    ),
  ),
  jitterReorders: maybe(fc.boolean()),
  bandwidthBitsPerSecond: maybe(fc.constantFrom(80_000, 1e6, 1e9)),
  queue: maybe(
    fc.oneof(
      fc.record({
        kind: fc.constant("drop-tail" as const),
        packetsMax: fc.integer({ min: 1, max: 9 }),
      }),
      fc.record({
        kind: fc.constant("red" as const),
        minimumBytes: fc.constant(500),
        maximumBytes: fc.constant(3000),
        weight: fc.constantFrom(0.002, 0.5, 1),
        marksEcn: fc.boolean(),
      }),
      fc.record({
        kind: fc.constant("codel" as const),
        targetMs: milliseconds,
        intervalMs: fc.constantFrom(1, 20),
        marksEcn: fc.boolean(),
      }),
    ),
  ),
  loss: maybe(
    fc.oneof(
      probability,
      fc.record({
        gilbertElliott: fc.record({ goodToBad: probability, badToGood: probability }),
      }),
      fc.record({ everyNth: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ packets: fc.array(fc.integer({ min: 1, max: 50 })) }),
    ),
  ),
  duplicate: maybe(
    fc.record({ probability, copies: fc.integer({ min: 1, max: 3 }), delayMs: milliseconds }),
  ),
  reorder: maybe(
    fc.oneof(
      fc.record({ probability, extraMs: milliseconds }),
      fc.record({ swap: probability, holdMs: milliseconds }),
    ),
  ),
  corrupt: maybe(
    fc.record({
      probability,
      what: fc.constantFrom("bit" as const, "byte" as const, "burst" as const),
      before: fc.boolean(),
    }),
  ),
  truncate: maybe(fc.record({ probability, bytesMin: fc.integer({ min: 0, max: 100 }) })),
  mtu: maybe(fc.constantFrom(68, 500, 1500)),
  rateLimit: maybe(
    fc.record({ bitsPerSecond: fc.constantFrom(1, 1e5), burstBytes: fc.constant(3000) }),
  ),
});

const act = fc.oneof(
  { weight: 20, arbitrary: fc.record({ bytes: fc.integer({ min: 18, max: 1514 }) }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "setDown" as const,
      "setUp" as const,
      "heal" as const,
      "partition" as const,
    ),
  },
);

const script = fc.array(fc.record({ pauseMs: milliseconds, act }), { maxLength: 60 });

function play(setting: Wire, steps: readonly { pauseMs: number; act: unknown }[]): void {
  const { scheduler, link, a } = setting;
  let timeNs = 0;
  steps.forEach(({ pauseMs, act: what }, index) => {
    timeNs += pauseMs * ms;
    scheduler.at(timeNs, () => {
      if (what === "setDown" || what === "setUp" || what === "heal") link[what]();
      else if (what === "partition") link.partition("ab");
      else a.send(frameOf(index, (what as { bytes: number }).bytes));
    });
  });
  run(scheduler);
}

function count(events: readonly Pick<FrameEvent, "what">[], wanted: FrameEvent["what"]): number {
  return events.filter(({ what }) => what === wanted).length;
}

test("every frame and every copy is delivered or dropped with a reason", () => {
  fc.assert(
    fc.property(directionOptions, script, fc.integer(), (options, steps, seed) => {
      const setting = wire({ ab: options }, seed);
      play(setting, steps);
      const { events, link, b } = setting;
      const sent = steps.filter(({ act: what }) => typeof what === "object").length;
      expect(count(events, "sent")).toBe(sent);
      expect(count(events, "delivered") + count(events, "dropped")).toBe(
        sent + count(events, "duplicated"),
      );
      expect(b.arrivals.length).toBe(count(events, "delivered"));
      expect(link.ab.framesInside).toBe(0);
      expect(link.ab.queuedBytes).toBe(0);
      for (const { what, reason } of events) expect(reason === undefined).toBe(what !== "dropped");
      const times = events.map(({ timeNs }) => timeNs);
      expect(times).toEqual(times.toSorted((left, right) => left - right));
      expect(times.every(Number.isInteger)).toBe(true);
      for (const [what, told] of Object.entries(link.ab.counts)) {
        expect(told).toBe(count(events, what as FrameEvent["what"]));
      }
    }),
    { numRuns: 400, seed: 3 },
  );
});

test("a seed gives the same events again", () => {
  fc.assert(
    fc.property(directionOptions, script, fc.integer(), (options, steps, seed) => {
      const runs = [wire({ ab: options }, seed), wire({ ab: options }, seed)] as const;
      for (const setting of runs) play(setting, steps);
      expect(runs[0].events).toEqual(runs[1].events);
    }),
    { numRuns: 60, seed: 4 },
  );
});

test("frames keep their order where nothing reorders", () => {
  fc.assert(
    fc.property(directionOptions, script, (drawn, steps) => {
      const { reorder: _, jitterReorders: __, duplicate: ___, corrupt: ____, ...rest } = drawn;
      const setting = wire({ ab: { ...rest, truncate: undefined } });
      play(setting, steps);
      const { numbers } = setting.b;
      expect(numbers).toEqual([...new Set(numbers)].sort((left, right) => left - right));
    }),
    { numRuns: 150, seed: 5 },
  );
});
