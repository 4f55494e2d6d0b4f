import { expect, test } from "bun:test";
import { DemibunError } from "../../../src/errors";
import { Link } from "../../../src/sim/network/link";
import { Switch, type SwitchOptions } from "../../../src/sim/network/switch";
import { Random } from "../../../src/sim/random";
import { Scheduler } from "../../../src/sim/scheduler";
import { broadcast } from "./packets";
import { frameOf, Recorder, run } from "./recorder";

const mac = (number: number) => Uint8Array.of(2, 0, 0, 0, 0, number);

function star(count: number, options: SwitchOptions = {}) {
  const scheduler = new Scheduler();
  const bridge = new Switch(scheduler, "switch", options);
  const stations = Array.from({ length: count }, (_, index) => {
    const station = new Recorder(`host ${index}`, scheduler);
    new Link({ scheduler, random: new Random(1) }, station, bridge, { delayMs: 1 });
    return station;
  });
  const send = (from: number, to: Uint8Array, source = mac(from)) => {
    const frame = frameOf(from);
    frame.set(to, 0);
    frame.set(source, 6);
    (stations[from] as Recorder).send(frame);
    run(scheduler);
    const receivers = stations.flatMap(({ arrivals }, index) => (arrivals.length > 0 ? index : []));
    for (const { arrivals } of stations) arrivals.length = 0;
    return receivers;
  };
  return { scheduler, bridge, send };
}

test("unknown and group destinations are flooded, known ones are not", () => {
  const { bridge, send } = star(4);
  expect(send(0, mac(3))).toEqual([1, 2, 3]);
  expect(send(3, mac(0))).toEqual([0]);
  expect(send(0, mac(3))).toEqual([3]);
  expect(send(1, broadcast)).toEqual([0, 2, 3]);
  expect(send(1, Uint8Array.of(1, 0, 0x5e, 0, 0, 1))).toEqual([0, 2, 3]);
  expect(bridge.flooded).toBe(3);
  expect(bridge.addresses).toBe(3);
});

test("a station that moves is found at its new port", () => {
  const { send } = star(3);
  send(1, mac(0));
  expect(send(2, mac(0), mac(1))).toEqual([0, 1]);
  expect(send(0, mac(1))).toEqual([2]);
});

test("a frame for its own side is filtered, and a group is no sender to learn", () => {
  const { bridge, send } = star(3);
  send(0, mac(9), mac(7));
  expect(send(0, mac(7))).toEqual([]);
  expect(bridge.filtered).toBe(1);
  send(0, mac(1), broadcast);
  expect(send(2, broadcast)).toEqual([0, 1]);
});

test("stations are forgotten after the age, or when the table is full", () => {
  const { scheduler, send } = star(3, { ageMs: 1000, addressesMax: 2 });
  send(1, mac(0));
  expect(send(0, mac(1))).toEqual([1]);
  scheduler.advance(scheduler.nowNs + 1e9 + 1);
  expect(send(0, mac(1))).toEqual([1, 2]);
  send(1, mac(0));
  send(2, mac(0));
  send(2, mac(0));
  // Three have spoken, and 0 longest ago.
  expect(send(1, mac(0))).toEqual([0, 2]);
});

test("a station that speaks again takes no other's place", () => {
  const { send } = star(3, { addressesMax: 2 });
  send(0, mac(1));
  send(1, mac(0));
  send(1, mac(0));
  expect(send(1, mac(0))).toEqual([0]);
  send(0, mac(1));
  send(2, mac(0));
  // 1 has spoken longest ago, though it was known last.
  expect(send(2, mac(0))).toEqual([0]);
});

test("a hub knows nobody", () => {
  const { bridge, send } = star(3, { learns: false });
  send(1, mac(0));
  expect(send(0, mac(1))).toEqual([1, 2]);
  expect(bridge.addresses).toBe(0);
});

test("a link to a full switch is refused", () => {
  expect(() => star(3, { portsMax: 2 })).toThrow(DemibunError);
  expect(() => star(3, { portsMax: 2 })).toThrow("all of its 2 ports are taken");
});
