import { expect, test } from "bun:test";
import { readPcapng } from "../../../src/pcapng";
import { Capture } from "../../../src/sim/network/capture";
import { frameOf, run, sendMany, wire } from "./recorder";

const ms = 1e6;

function rows(capture: Capture) {
  const { interfaces, packets } = readPcapng(capture.toBytes());
  return packets.map(({ interfaceId, timeNs, direction, comments }) => {
    const name = interfaces[interfaceId]?.name;
    return [name, Number(timeNs) / ms, direction, comments.join("; ")];
  });
}

test("each end of a link is an interface, and a packet's comments say what befell it", () => {
  const setting = wire({ ab: { delayMs: 1, loss: { packets: [2] } }, ba: { delayMs: 3 } });
  const capture = new Capture();
  const tap = capture.tap(setting.link);
  sendMany(setting, 3, { everyNs: ms });
  setting.b.send(frameOf(9));
  run(setting.scheduler);
  tap[Symbol.dispose]();
  setting.b.send(frameOf(10));
  run(setting.scheduler);
  expect(rows(capture)).toEqual([
    ["a/b", 0, "out", ""],
    ["a/b", 1, "out", "dropped: loss"],
    ["b/a", 1, "in", ""],
    ["a/b", 2, "out", ""],
    ["b/a", 3, "in", ""],
    ["b/a", 3, "out", ""],
    ["a/b", 6, "in", ""],
  ]);
});

test("damage, copies and marks are told at both ends where they are known", () => {
  const setting = wire({
    delayMs: 1,
    duplicate: { probability: 1, delayMs: 1 },
    corrupt: { probability: 1, what: "bit" },
  });
  const capture = new Capture();
  setting.link.ab.listen(capture.listener);
  sendMany(setting, 1);
  expect(rows(capture)).toEqual([
    ["a/b", 0, "out", "corrupted"],
    ["b/a", 1, "in", "corrupted"],
    ["b/a", 2, "in", "duplicated"],
  ]);
  const { packets } = readPcapng(capture.toBytes());
  expect(packets[0]?.bytes).toEqual(frameOf(1));
  expect(packets[1]?.bytes).not.toEqual(frameOf(1));
});

test("a capture keeps the latest packets", () => {
  const setting = wire({});
  const capture = new Capture({ packetsMax: 10, comment: "a run" });
  capture.tap(setting.link);
  sendMany(setting, 100, { everyNs: ms });
  const kept = rows(capture);
  expect(kept.length).toBe(10);
  expect(kept.at(-1)).toEqual(["b/a", 99, "in", ""]);
});

test("a station's own drops stand with the packet that it received, or under its name", () => {
  const setting = wire({ delayMs: 1 });
  const capture = new Capture();
  capture.tap(setting.link);
  sendMany(setting, 1);
  const drop = (frame: Uint8Array) =>
    capture.listener({
      timeNs: 2 * ms,
      what: "dropped",
      direction: ">b",
      station: "b",
      frame,
      reason: "ring overflow",
    });
  drop(setting.b.arrivals[0]?.frame as Uint8Array);
  drop(frameOf(7));
  expect(rows(capture)).toEqual([
    ["a/b", 0, "out", ""],
    ["b/a", 1, "in", "dropped: ring overflow"],
    ["b", 2, "out", "dropped: ring overflow"],
  ]);
});
