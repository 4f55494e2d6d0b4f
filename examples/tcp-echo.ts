/** Echoes TCP on PDPIX calls: bun examples/tcp-echo.ts --port 7 (LIBOS, CONFIG_PATH). */
import { Demikernel, type QueueResult, type QueueToken } from "../src/index";
import { printStatistics, readOptions, stopped } from "./options";

const options = readOptions("tcp-echo", 7);
const demikernel = await Demikernel.open();
const server = demikernel.socket("stream");
demikernel.bind(server, { port: options.port });
demikernel.listen(server);
console.log(`tcp-echo: listening on ${demikernel.local(server)}`);

/** What one result leads to. A popped array is pushed back as it is: no byte is copied. */
function proceed(result: QueueResult): QueueToken | undefined {
  switch (result.opcode) {
    case "accept":
      demikernel.accept(server);
      return demikernel.pop(result.accepted);
    case "pop":
      if (result.sga.byteLength > 0) return demikernel.push(result.qd, result.sga);
      result.sga.free();
      return demikernel.close(result.qd);
    case "push":
      return demikernel.pop(result.qd);
    case "failed":
      return result.qd === server ? undefined : demikernel.close(result.qd);
    default:
      return undefined;
  }
}

const signal = new AbortController();
stopped().then(() => signal.abort());
demikernel.accept(server);
while (!signal.signal.aborted) {
  const results = await demikernel
    .waitNext(64, { signal: signal.signal })
    .catch((error) => (signal.signal.aborted ? [] : Promise.reject(error)));
  for (const result of results) {
    try {
      proceed(result);
    } catch (error) {
      // The peer may reset between a result and what we do next; that ends this connection only.
      console.error(String(error));
      demikernel.close(result.qd);
    }
  }
}
printStatistics(demikernel, options);
await demikernel[Symbol.asyncDispose]();
process.exit(0);
