/**
 * The server of the network benchmarks on our stack: blocking waits, one thread. Says so when it
 * listens. bun stack-server.ts SERVICE PORT with CONFIG_PATH; services as in service.ts.
 */
import { Demikernel } from "../../../src/index";
import type { QueueDescriptor, QueueResult } from "../../../src/pdpix/queue-result";
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

function accepted(qd: QueueDescriptor): void {
  demikernel.pop(qd);
  if (service !== "source") return;
  for (let index = 0; index < PUSHES_PENDING; index++) demikernel.push(qd, source);
}

function complete(result: QueueResult): void {
  const { qd } = result;
  if (result.opcode === "accept") {
    demikernel.accept(listener);
    accepted(result.accepted);
  } else if (result.opcode === "pop") {
    if (result.sga.byteLength === 0) {
      demikernel.close(qd);
      return;
    }
    if (service === "echo") demikernel.push(qd, result.sga);
    else result.sga.free();
    demikernel.pop(qd);
  } else if (result.opcode === "push" && service === "source") {
    demikernel.push(qd, source);
  }
}

console.log(`${service} on ${port}`);
for (;;) {
  for (const result of demikernel.waitNextSync(BATCH)) {
    try {
      complete(result);
    } catch {
      // The client is gone: it drops its connection while data is still on its way.
      if (result.opcode !== "accept") demikernel.close(result.qd);
    }
  }
}
