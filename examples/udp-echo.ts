/** Echoes UDP datagrams without copying them: bun examples/udp-echo.ts --port 7. */
import { Demikernel } from "../src/index";
import { printStatistics, readOptions, stopped } from "./options";

const options = readOptions("udp-echo", 7);
const demikernel = await Demikernel.open();
const socket = demikernel.socket("datagram");
demikernel.bind(socket, { port: options.port });
console.log(`udp-echo: listening on ${demikernel.local(socket)}`);

const signal = new AbortController();
stopped().then(() => signal.abort());
demikernel.pop(socket);
while (!signal.signal.aborted) {
  const results = await demikernel
    .waitNext(64, { signal: signal.signal })
    .catch((error) => (signal.signal.aborted ? [] : Promise.reject(error)));
  for (const result of results) {
    if (result.opcode === "push") continue;
    if (result.opcode === "pop" && result.sga.from !== undefined) {
      try {
        demikernel.pushTo(socket, result.sga, result.sga.from);
      } catch (error) {
        // A datagram may be lost, and one that cannot be sent back is.
        console.error(String(error));
        result.sga[Symbol.dispose]();
      }
    }
    demikernel.pop(socket);
  }
}
printStatistics(demikernel, options);
await demikernel[Symbol.asyncDispose]();
process.exit(0);
