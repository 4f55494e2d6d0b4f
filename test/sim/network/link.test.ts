import { describe, expect, test } from "bun:test";
import { frameOf, numberOf, run, sendMany, wire } from "./recorder";

const ms = 1e6;

describe("time on a link", () => {
  test("a link without options delivers at once and in order", () => {
    const setting = wire({});
    sendMany(setting, 3, { everyNs: 0 });
    expect(setting.b.numbers).toEqual([1, 2, 3]);
    expect(setting.b.times).toEqual([0, 0, 0]);
  });

  test("a frame arrives after its serialisation and the delay", () => {
    const setting = wire({ delayMs: 10, bandwidthBitsPerSecond: 10_000_000 });
    sendMany(setting, 1, { bytes: 1514 });
    // (1514 + 24) bytes × 8 bits / 10 Mbit/s = 1.2304 ms
    expect(setting.b.times).toEqual([10 * ms + 1_230_400]);
  });

  test("frames follow each other at the line's exact rate", () => {
    const setting = wire({ bandwidthBitsPerSecond: 3_000_000_000, overheadBytes: 0 });
    sendMany(setting, 1000, { everyNs: 0, bytes: 100 });
    // 266.67 ns each: rounding must not add up.
    expect(setting.b.times.at(-1)).toBe(Math.ceil((1000 * 100 * 8) / 3));
    expect(setting.link.ab.counts.queued).toBe(999);
  });

  test("directions are independent", () => {
    const setting = wire({ ab: { delayMs: 1 }, ba: { delayMs: 2 } });
    setting.a.send(frameOf(1));
    setting.b.send(frameOf(2));
    run(setting.scheduler);
    expect(setting.b.times).toEqual([1 * ms]);
    expect(setting.a.times).toEqual([2 * ms]);
    const told = setting.events.map(({ what, direction, station }) => [what, direction, station]);
    expect(told).toEqual([
      ["sent", "a>b", "a"],
      ["sent", "b>a", "b"],
      ["delivered", "a>b", "b"],
      ["delivered", "b>a", "a"],
    ]);
  });
});

describe("the drop-tail queue", () => {
  test("holds its bytes and drops what comes on top", () => {
    const queue = { kind: "drop-tail", bytesMax: 250 } as const;
    const setting = wire({ bandwidthBitsPerSecond: 8000, overheadBytes: 0, queue });
    for (let number = 1; number <= 5; number++) setting.a.send(frameOf(number, 100));
    // One is on the line, two wait.
    expect(setting.a.port?.queuedBytes).toBe(200);
    run(setting.scheduler);
    expect(setting.b.numbers).toEqual([1, 2, 3]);
    expect(setting.b.times).toEqual([100 * ms, 200 * ms, 300 * ms]);
    const dropped = setting.events.filter(({ what }) => what === "dropped");
    expect(dropped.map(({ reason, frame }) => [reason, numberOf(frame)])).toEqual([
      ["queue full", 4],
      ["queue full", 5],
    ]);
  });

  test("holds its packets", () => {
    const queue = { kind: "drop-tail", packetsMax: 3 } as const;
    const setting = wire({ bandwidthBitsPerSecond: 1e6, queue });
    sendMany(setting, 10, { everyNs: 0 });
    expect(setting.b.numbers).toEqual([1, 2, 3, 4]);
  });

  test("takes a thousand packets when nothing is said", () => {
    const setting = wire({ bandwidthBitsPerSecond: 1e9 });
    sendMany(setting, 1100, { everyNs: 0 });
    expect(setting.b.arrivals.length).toBe(1001);
  });
});

describe("outages", () => {
  test("a link that goes down loses the queue and the wire, and what is sent until it is up", () => {
    const setting = wire({ delayMs: 50, bandwidthBitsPerSecond: 8000, overheadBytes: 0 });
    const { scheduler, link, a, b } = setting;
    for (let number = 1; number <= 3; number++) a.send(frameOf(number, 100));
    run(scheduler, 120 * ms);
    expect(link.ab.framesInside).toBe(3);
    link.setDown();
    a.send(frameOf(4));
    expect(link.ab.framesInside).toBe(0);
    run(scheduler, 500 * ms);
    link.setUp();
    a.send(frameOf(5));
    run(scheduler);
    expect(b.numbers).toEqual([5]);
    expect(b.times).toEqual([650 * ms]);
    const reasons = setting.events.flatMap(({ reason }) => reason ?? []);
    expect(reasons).toEqual(Array(4).fill("link down"));
  });

  test("a link that is up again owes nothing to what it lost", () => {
    const setting = wire({ delayMs: { trace: [100, 1] }, bandwidthBitsPerSecond: 8000 });
    setting.a.send(frameOf(1, 976));
    setting.a.send(frameOf(2, 976));
    run(setting.scheduler, 10 * ms);
    setting.link.setDown();
    setting.link.setUp();
    setting.a.send(frameOf(3, 976));
    setting.a.send(frameOf(4, 976));
    run(setting.scheduler);
    expect(setting.b.times).toEqual([1110 * ms, 2011 * ms]);
    const unlimited = wire({ delayMs: { trace: [100, 1] } });
    unlimited.a.send(frameOf(1));
    unlimited.link.setDown();
    unlimited.link.setUp();
    unlimited.a.send(frameOf(2));
    run(unlimited.scheduler);
    expect(unlimited.b.times).toEqual([1 * ms]);
  });

  test("a direction that is down takes nothing from rules either", () => {
    const setting = wire({});
    setting.link.ba.rules.add((_, { reply }) => {
      reply(frameOf(8));
      return "pass";
    });
    setting.link.ab.setDown();
    setting.b.send(frameOf(7));
    run(setting.scheduler);
    expect(setting.a.numbers).toEqual([7]);
    expect(setting.b.arrivals).toEqual([]);
    expect(setting.events.map(({ reason }) => reason)).toContain("link down");
  });

  test.each([
    ["ab", [], [2]],
    ["ba", [1], []],
    ["both", [], []],
  ] as const)("a partition %s cuts only that way, until it is healed", (which, atB, atA) => {
    const { link, a, b, scheduler } = wire({ delayMs: 1 });
    link.partition(which);
    a.send(frameOf(1));
    b.send(frameOf(2));
    run(scheduler);
    expect(b.numbers).toEqual([...atB]);
    expect(a.numbers).toEqual([...atA]);
    link.heal();
    a.send(frameOf(3));
    b.send(frameOf(4));
    run(scheduler);
    expect(b.numbers.at(-1)).toBe(3);
    expect(a.numbers.at(-1)).toBe(4);
  });

  test("healing ends every fault and leaves delay, bandwidth and what waits", () => {
    const setting = wire({
      delayMs: { uniform: [5, 6] },
      bandwidthBitsPerSecond: 8e6,
      overheadBytes: 0,
      loss: 1,
      duplicate: 1,
      truncate: { probability: 1 },
      rateLimit: { bitsPerSecond: 1, burstBytes: 1 },
    });
    sendMany(setting, 3);
    expect(setting.b.arrivals).toEqual([]);
    setting.link.heal();
    const start = setting.scheduler.nowNs;
    for (let number = 1; number <= 3; number++) setting.a.send(frameOf(number, 1000));
    expect(setting.a.port?.queuedBytes).toBe(2000);
    run(setting.scheduler);
    expect(setting.b.numbers).toEqual([1, 2, 3]);
    expect(setting.b.times[0]).toBeGreaterThanOrEqual(start + 6 * ms);
    expect(setting.b.times[2]).toBeLessThanOrEqual(start + 9 * ms);
  });
});

describe("limits", () => {
  test("frames above the MTU are dropped", () => {
    const setting = wire({ mtu: 1000 });
    setting.a.send(frameOf(1, 1014));
    setting.a.send(frameOf(2, 1015));
    run(setting.scheduler);
    expect(setting.b.numbers).toEqual([1]);
    expect(setting.events.at(-2)).toMatchObject({ what: "dropped", reason: "too big" });
  });

  test("a policer lets a burst through and then its rate", () => {
    const setting = wire({ rateLimit: { bitsPerSecond: 80_000, burstBytes: 500 } });
    // 100 bytes a millisecond are ten times too many.
    sendMany(setting, 1000, { everyNs: ms, bytes: 100 });
    expect(setting.b.numbers.slice(0, 5)).toEqual([1, 2, 3, 4, 5]);
    const count = setting.b.arrivals.length;
    expect(count).toBeGreaterThanOrEqual(100);
    expect(count).toBeLessThanOrEqual(106);
    expect(setting.events.some(({ reason }) => reason === "rate limit")).toBe(true);
    // After a long silence the burst is no larger.
    setting.scheduler.advance(setting.scheduler.nowNs + 1e12);
    for (let number = 0; number < 20; number++) setting.a.send(frameOf(number, 100));
    run(setting.scheduler);
    expect(setting.b.arrivals.length - count).toBe(5);
  });
});
