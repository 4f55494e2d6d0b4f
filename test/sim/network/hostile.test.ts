/** Whatever stands in the middle takes any bytes: it drops or passes them and never fails. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { frameArp } from "../../../src/packet/build";
import { buildIcmp, buildIcmpError } from "../../../src/packet/build-transport";
import { parseFrame } from "../../../src/packet/parse";
import type { LinkOptions } from "../../../src/sim/network/options";
import {
  clampMss,
  injectReset,
  rewriteSequence,
  stripOptions,
} from "../../../src/sim/network/middlebox";
import { Nat } from "../../../src/sim/network/nat";
import { Router } from "../../../src/sim/network/router";
import { Switch } from "../../../src/sim/network/switch";
import { Link } from "../../../src/sim/network/link";
import { Random } from "../../../src/sim/random";
import { ipFrame, macA, macB, tcpFrame, udpFrame } from "./packets";
import { Recorder, run } from "./recorder";
import { Scheduler } from "../../../src/sim/scheduler";

const payload = new Uint8Array(64).fill(5);
const there = { source: "10.0.0.1", destination: "10.0.1.1" };
const routerMac = Uint8Array.of(2, 0xfe, 10, 0, 0, 254);

const arp = {
  operation: 1,
  senderMac: macA,
  senderAddress: "10.0.0.1",
  targetMac: macB,
  targetAddress: "10.0.0.254",
};

/** Good frames, to be spoilt. */
const originals: readonly Uint8Array[] = [
  tcpFrame(payload, {
    ...there,
    tcp: {
      flags: 2,
      options: [{ kind: "mss", mss: 1460 }, { kind: "sackOK" }, { kind: "wscale", shift: 3 }],
    },
  }),
  tcpFrame(payload, {
    ...there,
    tcp: { flags: 16, options: [{ kind: "sack", blocks: [{ left: 1, right: 2 }] }] },
  }),
  udpFrame(payload, there),
  udpFrame(payload, { ...there, options: Uint8Array.of(0x82, 4, 1, 2) }),
  udpFrame(payload, { ...there, moreFragments: true }),
  ipFrame(buildIcmp({ type: 8, code: 0 }, payload), { ...there, protocol: 1 }),
  ipFrame(buildIcmpError(3, 4, 1200, udpFrame(payload, there).subarray(14)), {
    source: "10.0.1.1",
    destination: "10.0.1.254",
    protocol: 1,
  }),
  frameArp(routerMac, arp),
];

const spoilt = fc
  .record({
    original: fc.constantFrom(...originals),
    changes: fc.array(fc.tuple(fc.nat(127), fc.nat(255)), { maxLength: 4 }),
    length: fc.option(fc.nat(128), { freq: 4 }),
    mendsHeader: fc.boolean(),
  })
  .map(({ original, changes, length, mendsHeader }) => {
    const frame = original.slice();
    frame.set(routerMac, 0);
    for (const [at, value] of changes) if (at >= 12 && at < frame.length) frame[at] = value;
    if (mendsHeader) mendHeader(frame);
    return length === null ? frame : frame.slice(0, length);
  });

function mendHeader(frame: Uint8Array): void {
  const bytes = Math.min(((frame[14] as number) & 15) * 4, frame.length - 14);
  frame.fill(0, 24, 26);
  let sum = 0;
  for (let at = 14; at + 1 < 14 + bytes; at += 2) {
    sum += ((frame[at] as number) << 8) | (frame[at + 1] as number);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  frame[24] = ~sum >>> 8;
  frame[25] = ~sum;
}

/** a — switch — router with NAT — b, and every middlebox on the first link. */
function setting(options: LinkOptions) {
  const scheduler = new Scheduler();
  const context = { scheduler, random: new Random(1) };
  const a = new Recorder("a", scheduler);
  const b = new Recorder("b", scheduler);
  const bridge = new Switch(scheduler, "switch");
  const router = new Router(scheduler, "router");
  const left = router.addInterface({ address: "10.0.0.254/24" });
  const right = router.addInterface({ address: "10.0.1.254/24", mtu: 96 });
  const first = new Link(context, a, bridge, options);
  new Link(context, bridge, left);
  const last = new Link(context, right, b);
  new Nat(last, { outside: "10.0.1.254" });
  first.ab.rules.add(stripOptions([4, 8]));
  first.ab.rules.add(clampMss(900));
  first.ab.rules.add(injectReset({ when: (_, { number }) => number % 3 === 0 }));
  rewriteSequence(first, { offset: 12345 });
  // b answers ARP by nature of having spoken.
  b.send(
    frameArp(right.mac, {
      ...arp,
      senderMac: macB,
      senderAddress: "10.0.1.1",
      targetAddress: "10.0.1.254",
    }),
  );
  run(scheduler);
  return { scheduler, a, b };
}

test("spoilt frames pass switch, middleboxes, router and NAT without failure", () => {
  let reached = 0;
  fc.assert(
    fc.property(fc.array(spoilt, { minLength: 1, maxLength: 20 }), (frames) => {
      const { scheduler, a, b } = setting({});
      for (const frame of frames) a.send(frame.slice());
      run(scheduler);
      reached += b.arrivals.length;
      for (const { frame } of b.arrivals) {
        // A router passes on nothing whose IP header is wrong.
        const header = parseFrame(frame).problems.filter((text) => text.includes("IPv4 header ch"));
        expect(header).toEqual([]);
        expect(frame.length).toBeLessThanOrEqual(14 + 96);
      }
    }),
    { numRuns: 400, seed: 6 },
  );
  expect(reached).toBeGreaterThan(500);
});

test("damaged frames pass them as well", () => {
  const damage: LinkOptions[] = [
    { corrupt: { probability: 1, what: "burst" } },
    { corrupt: { probability: 1, what: "burst", before: true } },
    { truncate: { probability: 1, bytesMin: 0 } },
  ];
  fc.assert(
    fc.property(fc.constantFrom(...damage), fc.array(spoilt), (options, frames) => {
      const { scheduler, a } = setting(options);
      for (const frame of frames) a.send(frame.slice());
      run(scheduler);
      expect(scheduler.pending).toBe(0);
    }),
    { numRuns: 200, seed: 7 },
  );
});
