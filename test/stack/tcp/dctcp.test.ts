/** DCTCP (RFC 8257): α against the RFC's formula, worked out here; when it is used and when it is not. */
import { expect, test } from "bun:test";
import {
  CONTROLLER_DCTCP,
  CONTROLLER_NEW_RENO,
  SOCKET_OPTION_CONTROLLER,
} from "../../../assembly/layout";
import { Flow, mss } from "./flow";
import { accepted } from "./peer";

const roundTripUs = 102_400;
const GAIN = 1 / 16;

/** Section 3.3 as it is written; windows in bytes. */
class Model {
  alpha = 1;
  #acked = 0;
  #marked = 0;
  #windowEnd: number;

  constructor(una: number) {
    this.#windowEnd = una;
  }

  /** SND.UNA is now `una`, SND.NXT `next`. */
  acknowledge(bytes: number, isMarked: boolean, una: number, next: number): void {
    this.#acked += bytes;
    if (isMarked) this.#marked += bytes;
    if (una <= this.#windowEnd) return;
    this.alpha = this.alpha * (1 - GAIN) + GAIN * (this.#marked / this.#acked);
    this.#windowEnd = next;
    this.#acked = 0;
    this.#marked = 0;
  }
}

/** Rounds in which so many of the acknowledgments echo, beside the model. */
function follow(flow: Flow, model: Model, rounds: number, share: number): void {
  for (let round = 0; round < rounds; round++) {
    flow.lab.host.advance(roundTripUs, roundTripUs / 4);
    const window = flow.flight;
    const marked = Math.round((window * share) / (2 * mss));
    for (let left = window, index = 0; left > 0; left -= 2 * mss, index++) {
      const bytes = Math.min(left, 2 * mss);
      const isMarked = index < marked;
      const next = flow.acknowledged + flow.flight;
      flow.flags = isMarked ? "AE" : "A";
      flow.acknowledge(bytes);
      model.acknowledge(bytes, isMarked, flow.acknowledged, next);
    }
    flow.fill();
  }
}

function grown(segments: number): { flow: Flow; model: Model } {
  const flow = new Flow({ congestionControl: "dctcp" }, { ecn: true, scale: 2 });
  const model = new Model(0);
  flow.fill();
  while (flow.view.cwnd < segments * mss) follow(flow, model, 1, 0);
  return { flow, model };
}

/** What an echo on the next acknowledgment leaves of the window, of which α has a part. */
function reduction(flow: Flow): number {
  flow.lab.host.advance(roundTripUs, roundTripUs / 4);
  const { flight } = flow;
  flow.flags = "AE";
  flow.acknowledge(2 * mss);
  flow.flags = "A";
  return 1 - flow.view.ssthresh / flight;
}

test("α follows the share of marked bytes, and the window goes down by half of it (3.3)", () => {
  for (const share of [0, 0.1, 0.4, 1]) {
    const { flow, model } = grown(160);
    follow(flow, model, 20, 0);
    follow(flow, model, 3, share);
    // Where nothing was marked so far the echo itself may end a window of observation.
    const low = Math.min(model.alpha, model.alpha * (1 - GAIN));
    const cut = reduction(flow);
    expect(cut).toBeGreaterThan(low / 2 - 0.01);
    expect(cut).toBeLessThan((model.alpha + GAIN) / 2 + 0.01);
  }
});

test("α falls by a sixteenth a round trip without marks (3.3)", () => {
  const { flow, model } = grown(60);
  follow(flow, model, 30, 0);
  expect(model.alpha).toBeLessThan(0.15);
  expect(reduction(flow)).toBeLessThan((model.alpha + GAIN) / 2 + 0.01);
});

test("one reaction for each window of data (3.3)", () => {
  const { flow, model } = grown(60);
  follow(flow, model, 40, 0);
  const cut = reduction(flow);
  const { ssthresh } = flow.view;
  flow.flags = "AE";
  flow.acknowledge(2 * mss);
  flow.acknowledge(2 * mss);
  expect(flow.view.ssthresh).toBe(ssthresh);
  expect(cut).toBeGreaterThan(0);
});

test("a loss halves, and so does a timeout's ssthresh (3.4)", () => {
  const { flow, model } = grown(60);
  follow(flow, model, 40, 0);
  const { flight } = flow;
  flow.lose(roundTripUs);
  expect(flow.view.ssthresh).toBe(Math.floor(flight / 2));
});

test("without ECN the connection is NewReno's (3)", () => {
  for (const [ecn, controller] of [
    [true, CONTROLLER_DCTCP],
    [false, CONTROLLER_NEW_RENO],
  ] as const) {
    const { lab, qd } = accepted({ ecn }, { congestionControl: "dctcp" });
    expect(lab.host.stack.exports.getOption(qd, SOCKET_OPTION_CONTROLLER)).toBe(controller);
  }
});

test("an established connection changes to DCTCP only with ECN", () => {
  for (const [ecn, controller] of [
    [true, CONTROLLER_DCTCP],
    [false, CONTROLLER_NEW_RENO],
  ] as const) {
    const { lab, qd } = accepted({ ecn });
    const { exports } = lab.host.stack;
    expect(exports.setOption(qd, SOCKET_OPTION_CONTROLLER, CONTROLLER_DCTCP)).toBe(0);
    expect(exports.getOption(qd, SOCKET_OPTION_CONTROLLER)).toBe(controller);
  }
});
