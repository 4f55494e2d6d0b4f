/**
 * The server of the network benchmarks on our stack: blocking waits, one thread. Says so when it
 * listens. bun stack-server.ts SERVICE PORT with CONFIG_PATH; services as in service.ts.
 */
import { Demikernel } from "../../../src/index";
import { DemibunError } from "../../../src/errors";
import type { QueueDescriptor, QueueResult } from "../../../src/pdpix/queue-result";
import type { ScatterGatherArray } from "../../../src/pdpix/scatter-gather-array";
import { readService, sourceBytes } from "./service";

/** Results taken by one wait at most. */
const BATCH = 64;
/** Pushes that a source keeps pending, so that the stack never runs out of data. */
const PUSHES_PENDING = 8;

const { service, port } = readService();
const demikernel = await Demikernel.open();
const listener = demikernel.socket("stream");
demikernel.bind(listener, { port });
demikernel.listen(listener);
demikernel.accept(listener);
const source = new Uint8Array(sourceBytes);

/** Connections that have not been closed here. */
const open = new Set<QueueDescriptor>();

function accept(qd: QueueDescriptor): void {
  open.add(qd);
  demikernel.pop(qd);
  if (service !== "source") return;
  for (let index = 0; index < PUSHES_PENDING; index++) demikernel.push(qd, source);
}

function drop(qd: QueueDescriptor): void {
  if (open.delete(qd)) demikernel.close(qd);
}

function popped(qd: QueueDescriptor, array: ScatterGatherArray): void {
  if (array.byteLength === 0) {
    drop(qd);
    return;
  }
  if (service === "echo") demikernel.push(qd, array);
  else array.free();
  demikernel.pop(qd);
}

function complete(result: QueueResult): void {
  if (result.opcode === "accept") {
    demikernel.accept(listener);
    accept(result.accepted);
  } else if (result.opcode === "pop" && open.has(result.qd)) {
    popped(result.qd, result.sga);
  } else if (result.opcode === "push" && service === "source" && open.has(result.qd)) {
    demikernel.push(result.qd, source);
  } else if (result.opcode === "failed") {
    drop(result.qd);
  }
}

console.log(`${service} on ${port}`);
for (;;) {
  for (const result of demikernel.waitNextSync(BATCH)) {
    try {
      complete(result);
    } catch (error) {
      // The connection ended between the wait and the call; anything else is a defect.
      if (!(error instanceof DemibunError) || result.opcode === "accept") throw error;
      drop(result.qd);
    }
  }
}
