/** What a recorder says of a run is what happened in it. */
import { expect, test } from "bun:test";
import { Recorder } from "../../../src/sim/report/recorder";
import { drawScenario } from "../../../src/sim/swarm/draw";
import { runScenario } from "../../../src/sim/swarm/run";
import { stackModule } from "../../../src/wasm/module";
import { recordTransfer } from "./transfer";

const lossy = {
  ab: { delayMs: 10, bandwidthBitsPerSecond: 2e7, loss: { packets: [20, 31] } },
  ba: { delayMs: 10 },
};

test("segments, retransmissions and losses are those that the stack counted", async () => {
  const { recorder } = await recordTransfer(200_000, lossy);
  const { connections, connectionsTotal, hosts, directions } = recorder.data();
  expect(connectionsTotal).toBe(1);
  const [client, server] = connections[0]?.ends ?? [];
  if (client === undefined || server === undefined) throw new Error("an end is missing");
  expect([client.host, server.host]).toEqual(["client", "server"]);
  const { tcpSegmentsSent, tcpRetransmissions } = hosts[1]?.counters ?? {};
  // The stack's counter leaves the SYN out.
  expect(client.segments - 1).toBe(tcpSegmentsSent as number);
  expect(client.resent.total).toBe(tcpRetransmissions as number);
  expect(client.resent.total).toBe(2);
  expect(client.lost.total).toBe(2);
  expect(client.lostReasons).toEqual(["loss", "loss"]);
  expect([client.bytes, server.bytes]).toEqual([200_000, 0]);
  // SYN, data and FIN.
  expect(client.sent.ends.at(-1)).toBe(200_002);
  expect(client.acknowledged.values.at(-1)).toBe(200_002);
  expect(server.acknowledged.values.at(-1)).toBe(2);
  expect(hosts.map(({ name }) => name)).toEqual(["server", "client"]);
  const forth = directions.find(({ name }) => name === "client>server");
  expect(forth?.dropsByReason).toEqual({ loss: 2 });
  expect(Math.max(...(forth?.queueBytes.values ?? []))).toBeGreaterThan(0);
});

test("the ACK line only rises and stays at or below what was sent and the window's edge", async () => {
  const { recorder } = await recordTransfer(100_000, lossy);
  for (const end of recorder.data().connections[0]?.ends ?? []) {
    const { timesMs, values } = end.acknowledged;
    expect(values).toEqual([...values].sort((left, right) => left - right));
    expect(timesMs).toEqual([...timesMs].sort((left, right) => left - right));
    const edges = end.windowEdge.values;
    expect(Math.max(...values)).toBeLessThanOrEqual(Math.max(...edges) + 1);
  }
});

test("states are told in order, from the handshake to the end", async () => {
  const { recorder } = await recordTransfer(1000, { delayMs: 5 });
  const [client] = recorder.data().connections[0]?.ends ?? [];
  expect(client?.states.map(({ state }) => state)).toEqual([
    "SYN-SENT",
    "ESTABLISHED",
    "FIN-WAIT-1",
    // The peer's FIN comes with the acknowledgment of ours, so FIN-WAIT-2 is never rested in.
    "TIME-WAIT",
  ]);
});

test("few points still show the extremes, the totals and the ends", async () => {
  const full = (await recordTransfer(200_000, lossy)).recorder.data();
  const thin = (await recordTransfer(200_000, lossy, { pointsMax: 32 })).recorder.data();
  const [all] = full.connections[0]?.ends ?? [];
  const [few] = thin.connections[0]?.ends ?? [];
  if (all === undefined || few === undefined) throw new Error("an end is missing");
  for (const name of ["cwnd", "inFlight", "acknowledged", "windowEdge"] as const) {
    expect(few[name].values.length).toBeLessThanOrEqual(32);
    expect(all[name].values.length).toBeGreaterThan(32);
    expect(Math.max(...few[name].values)).toBe(Math.max(...all[name].values));
    expect(Math.min(...few[name].values)).toBe(Math.min(...all[name].values));
    expect(few[name].values.at(-1)).toBe(all[name].values.at(-1) as number);
  }
  expect(few.sent.total).toBe(all.sent.total);
  expect(few.sent.ends.at(-1)).toBe(all.sent.ends.at(-1) as number);
});

test("a lost packet is told in the sequence of packets with its reason", async () => {
  const { recorder } = await recordTransfer(50_000, lossy);
  const { hops, total } = recorder.data().packets;
  expect(total).toBeGreaterThan(40);
  const lost = hops.filter(({ dropped }) => dropped !== undefined);
  expect(lost.map(({ dropped }) => dropped)).toEqual(["loss", "loss"]);
  expect(lost[0]?.text).toContain("10.0.0.2");
  expect(lost[0]?.arrivedMs).toBeUndefined();
  expect(hops.filter(({ arrivedMs }) => arrivedMs !== undefined).length).toBe(hops.length - 2);
});

test("recording changes nothing in a run", async () => {
  const scenario = drawScenario(6);
  const bare = await runScenario(stackModule(), scenario);
  let recorder: Recorder | undefined;
  const watched = await runScenario(stackModule(), scenario, {
    onStart(sim) {
      recorder = new Recorder(sim);
    },
  });
  expect(watched.fingerprint).toBe(bare.fingerprint);
  const { connections, packets, directions } = recorder?.data() ?? {};
  expect(connections?.length).toBeGreaterThan(0);
  expect(packets?.total).toBeGreaterThan(0);
  const dropped = (directions ?? []).map(({ counts }) => counts.dropped ?? 0);
  expect(dropped.reduce((sum, count) => sum + count, 0)).toBe(bare.frames.dropped ?? 0);
});
