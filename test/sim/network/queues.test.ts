import { describe, expect, test } from "bun:test";
import { parseFrame } from "../../../src/packet/parse";
import type { FrameLog } from "../../../src/sim/network/frame-log";
import type { QueueOptions } from "../../../src/sim/network/options";
import { Red } from "../../../src/sim/network/red";
import { Random } from "../../../src/sim/random";
import { udpFrame } from "./packets";
import { run, type Wire, wire } from "./recorder";

const ms = 1e6;
const frameBytes = 1000;

/** A frame that takes 1 ms on the line of the settings here. */
function frame(trafficClass: number): Uint8Array {
  return udpFrame(new Uint8Array(frameBytes - 42), { trafficClass });
}

function setting(queue: QueueOptions): Wire {
  return wire({ bandwidthBitsPerSecond: 8e6, overheadBytes: 0, queue });
}

/** Sends for `seconds` at `load` times the line's rate. */
function flood({ scheduler, a }: Wire, seconds: number, load: number, trafficClass = 0): void {
  const count = Math.round(seconds * 1000 * load);
  for (let index = 0; index < count; index++) {
    scheduler.at((index * ms) / load, () => a.send(frame(trafficClass)));
  }
}

function times(wired: Wire, what: string, reason?: string): number[] {
  const found = wired.events.filter((event) => event.what === what && event.reason === reason);
  return found.map(({ timeNs }) => timeNs / ms);
}

describe("CoDel", () => {
  const codel: QueueOptions = { kind: "codel", targetMs: 5, intervalMs: 100 };

  test("leaves a line alone that is not too full", () => {
    const wired = setting(codel);
    flood(wired, 2, 0.99);
    run(wired.scheduler);
    expect(times(wired, "dropped", "CoDel")).toEqual([]);
  });

  test("leaves a short burst alone", () => {
    const wired = setting(codel);
    for (let index = 0; index < 90; index++) wired.a.send(frame(0));
    run(wired.scheduler);
    expect(wired.b.arrivals.length).toBe(90);
  });

  test("drops an interval after the delay has passed the target, then ever faster", () => {
    const wired = setting(codel);
    flood(wired, 1.5, 1.2);
    run(wired.scheduler, 1500 * ms);
    const drops = times(wired, "dropped", "CoDel");
    // The delay grows by 0.2 ms each ms at the sender: 5 ms is passed after some 30 ms.
    expect(drops[0]).toBeGreaterThan(125);
    expect(drops[0]).toBeLessThan(140);
    const gaps = drops.slice(1).map((time, index) => time - (drops[index] as number));
    for (const [index, gap] of gaps.slice(0, 8).entries()) {
      expect(Math.abs(gap - 100 / Math.sqrt(index + 1))).toBeLessThanOrEqual(1.5);
    }
  });

  test("goes on with its rate after a short pause and begins anew after a long one", () => {
    for (const [pauseMs, firstGapMs] of [
      [300, 60],
      [3000, 100],
    ] as const) {
      const wired = setting(codel);
      flood(wired, 1, 1.5);
      run(wired.scheduler, 1000 * ms);
      const start = wired.scheduler.nowNs / ms + pauseMs + 600;
      wired.scheduler.at(start * ms, () => {
        for (let index = 0; index < 900; index++) {
          wired.scheduler.after((index * ms) / 1.5, () => wired.a.send(frame(0)));
        }
      });
      run(wired.scheduler);
      const drops = times(wired, "dropped", "CoDel").filter((time) => time >= start);
      const gap = (drops[1] as number) - (drops[0] as number);
      if (firstGapMs === 100) expect(Math.abs(gap - 100)).toBeLessThanOrEqual(1.5);
      else expect(gap).toBeLessThan(firstGapMs);
    }
  });

  test("marks what understands ECN, with the header's checksum mended, and drops nothing", () => {
    const wired = setting({ ...codel, marksEcn: true });
    flood(wired, 1, 1.2, 2);
    run(wired.scheduler);
    expect(times(wired, "dropped", "CoDel")).toEqual([]);
    const marked = wired.events.filter(({ what }) => what === "marked");
    expect(marked.length).toBeGreaterThan(10);
    for (const { frame: bytes } of marked) {
      const { ip, problems } = parseFrame(bytes);
      expect(problems).toEqual([]);
      expect(ip?.trafficClass).toBe(3);
    }
    const others = wired.b.arrivals.filter(({ frame: bytes }) => ((bytes[15] as number) & 3) === 2);
    expect(others.length + marked.length).toBe(wired.b.arrivals.length);
  });

  test("keeps a queue within bounds when senders slow down on drops", () => {
    const wired = setting(codel);
    // A crude sender: its rate is halved by each drop and grows by a tenth of the line a second.
    let load = 1.5;
    wired.link.ab.listen(({ what }) => {
      if (what === "dropped") load = Math.max(0.5, load * 0.7);
    });
    const send = () => {
      wired.a.send(frame(0));
      load += 0.0003;
      wired.scheduler.after(ms / load, send);
    };
    send();
    run(wired.scheduler, 10_000 * ms);
    const waits = wired.events.filter(({ what, timeNs }) => what === "queued" && timeNs > 3e9);
    const mean = waits.reduce((sum, { queuedBytes = 0 }) => sum + queuedBytes, 0) / waits.length;
    // A byte is a microsecond of waiting here: tens of milliseconds, where 1,000 frames would be allowed.
    expect(mean).toBeLessThan(60_000);
  });
});

describe("drop-tail with a threshold", () => {
  const tail: QueueOptions = { kind: "drop-tail", bytesMax: 20_000, markBytes: 5000 };

  test("marks who finds more than that and understands ECN (RFC 8257 3.1)", () => {
    const wired = setting(tail);
    for (let index = 0; index < 10; index++) wired.a.send(frame(2));
    run(wired.scheduler);
    // One is on the line and five wait when the seventh comes.
    const marks = wired.b.arrivals.map(({ frame: bytes }) => (bytes[15] as number) & 3);
    expect(marks).toEqual([2, 2, 2, 2, 2, 2, 3, 3, 3, 3]);
    for (const { frame: bytes } of wired.b.arrivals) expect(parseFrame(bytes).problems).toEqual([]);
  });

  test("lets others pass and drops all alike when it is full", () => {
    const wired = setting(tail);
    for (let index = 0; index < 30; index++) wired.a.send(frame(0));
    run(wired.scheduler);
    expect(wired.link.ab.counts.marked).toBe(0);
    expect(times(wired, "dropped", "queue full")).toHaveLength(9);
  });
});

describe("RED", () => {
  const red = {
    kind: "red",
    minimumBytes: 10_000,
    maximumBytes: 30_000,
    bytesMax: 100_000,
    maximumProbability: 0.1,
    weight: 0.02,
  } as const;

  test("drops nothing while the average is below its lower threshold", () => {
    const wired = setting(red);
    for (let burst = 0; burst < 20; burst++) {
      wired.scheduler.at(burst * 200 * ms, () => {
        for (let index = 0; index < 15; index++) wired.a.send(frame(0));
      });
    }
    run(wired.scheduler);
    expect(wired.b.arrivals.length).toBe(300);
  });

  test("holds an overload between the thresholds by early drops alone", () => {
    const wired = setting(red);
    flood(wired, 5, 1.05);
    run(wired.scheduler, 5000 * ms);
    expect(times(wired, "dropped", "queue full")).toEqual([]);
    const drops = times(wired, "dropped", "early drop");
    // One frame in 21 is too many.
    expect(Math.abs(drops.length - 5000 * 0.05)).toBeLessThan(40);
    const late = wired.events.filter(({ what, timeNs }) => what === "queued" && timeNs > 1e9);
    const mean = late.reduce((sum, { queuedBytes = 0 }) => sum + queuedBytes, 0) / late.length;
    expect(mean).toBeGreaterThan(10_000);
    expect(mean).toBeLessThan(30_000);
  });

  test("spreads its drops evenly", () => {
    const dropped: Uint8Array[] = [];
    const log = { drop: (bytes: Uint8Array) => dropped.push(bytes) } as unknown as FrameLog;
    const context = { log, random: new Random("red"), bandwidthBitsPerSecond: 8e6 };
    const queue = new Red({ ...red, weight: 1 }, context);
    const entry = () => ({ frame: frame(0), fate: undefined, timeNs: 0 });
    const gaps: number[] = [];
    // 20 frames always wait: the average stands in the middle, every arrival's share is 1/20.
    for (let filled = 0; queue.packets < 20 && filled < 100; filled++) queue.push(entry());
    let gap = 0;
    for (let arrival = 0; arrival < 20_000; arrival++) {
      gap++;
      if (queue.push(entry())) queue.shift(0);
      else {
        gaps.push(gap);
        gap = 0;
      }
    }
    // Uniform on 1 to 19, not geometric: the algorithm of the paper counts the first one as 1.
    expect(Math.max(...gaps.slice(1))).toBeLessThanOrEqual(19);
    const mean = gaps.reduce((sum, one) => sum + one, 0) / gaps.length;
    expect(Math.abs(mean - 10)).toBeLessThan(0.5);
  });

  test("marks what understands ECN instead, until every arrival is chosen", () => {
    const wired = setting({ ...red, marksEcn: true });
    flood(wired, 2, 1.02, 1);
    run(wired.scheduler);
    const marked = wired.events.filter(({ what }) => what === "marked");
    expect(marked.length).toBeGreaterThan(20);
    for (const { frame: bytes } of marked) expect(parseFrame(bytes).problems).toEqual([]);
    const flooded = setting({ ...red, marksEcn: true });
    flood(flooded, 2, 3, 1);
    run(flooded.scheduler);
    expect(times(flooded, "dropped", "early drop").length).toBeGreaterThan(100);
  });

  test("forgets an average while the line is idle", () => {
    const wired = setting({ ...red, gentle: false });
    flood(wired, 1, 2);
    run(wired.scheduler, 1100 * ms);
    const before = wired.link.ab.counts.dropped;
    expect(before).toBeGreaterThan(0);
    wired.scheduler.at(60_000 * ms, () => {
      for (let index = 0; index < 5; index++) wired.a.send(frame(0));
    });
    run(wired.scheduler);
    expect(wired.link.ab.counts.dropped).toBe(before);
  });
});
