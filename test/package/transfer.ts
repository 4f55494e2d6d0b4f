/**
 * A program of a user's: two simulated hosts, one megabyte over a link that is bad in every way whose
 * arithmetic engines could see differently.
 */
import { loadStackModule, Simulation } from "demibun/sim";

const BYTES = 1_000_000;
const CHUNK_BYTES = 16_384;
const endpoint = { hostname: "10.0.0.1", port: 7 };

/** What must come out the same in every engine. */
export interface TransferResult {
  readonly bytes: number;
  readonly sent: string;
  readonly received: string;
  /** Virtual time that it took. */
  readonly milliseconds: number;
  /** Over everything that happened on the link. */
  readonly run: string;
}

function hex(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export async function run(): Promise<TransferResult> {
  const sim = new Simulation({ seed: 7, module: await loadStackModule() });
  const server = sim.host("server", { address: "10.0.0.1/24" });
  const client = sim.host("client", { address: "10.0.0.2/24" });
  sim.link(server, client, {
    ab: {
      delayMs: { normal: { mean: 5, deviation: 1 } },
      duplicate: 0.01,
      reorder: { probability: 0.01, extraMs: 3 },
      queue: { kind: "codel" },
      bandwidthBitsPerSecond: 1e8,
    },
    ba: {
      delayMs: { exponential: { minimum: 2, mean: 4 } },
      loss: { gilbertElliott: { goodToBad: 0.01, badToGood: 0.5 } },
      corrupt: { probability: 0.002, what: "bit" },
      queue: { kind: "red", minimumBytes: 30_000, maximumBytes: 90_000 },
      bandwidthBitsPerSecond: 2e7,
    },
  });
  const payload = Uint8Array.from(sim.random.split("payload").bytes(BYTES));
  const received: Uint8Array[] = [];

  server.run(async (demikernel) => {
    const listener = demikernel.socket("stream");
    demikernel.bind(listener, endpoint);
    demikernel.listen(listener);
    const { result } = await demikernel.waitAny([demikernel.accept(listener)]);
    if (result.opcode !== "accept") throw new Error(`accept: ${result.opcode}`);
    for (;;) {
      const popped = await demikernel.wait(demikernel.pop(result.accepted));
      if (popped.opcode !== "pop") throw new Error(`pop: ${popped.opcode}`);
      if (popped.sga.byteLength === 0) break;
      received.push(popped.sga.copy());
      popped.sga.free();
    }
    await demikernel.wait(demikernel.close(result.accepted));
  });

  await sim.run(async () => {
    const { demikernel } = client;
    const qd = demikernel.socket("stream");
    await demikernel.wait(demikernel.connect(qd, endpoint));
    for (let at = 0; at < BYTES; at += CHUNK_BYTES) {
      const push = demikernel.push(qd, payload.subarray(at, at + CHUNK_BYTES));
      const { opcode } = await demikernel.wait(push);
      if (opcode !== "push") throw new Error(`push: ${opcode}`);
    }
    await demikernel.wait(demikernel.close(qd));
    while (received.reduce((sum, part) => sum + part.length, 0) < BYTES) await sim.sleep(1);
  });
  const digest = async (bytes: BufferSource) => hex(await crypto.subtle.digest("SHA-256", bytes));
  const whole = joined(received);
  return {
    bytes: whole.length,
    sent: await digest(payload),
    received: await digest(whole),
    milliseconds: sim.now,
    run: `${sim.fingerprint}`,
  };
}
