/**
 * A TCP client on the stack: connects to the kernel's server once for each order of ending, moves
 * bytes both ways and ends the connection in that order. Prints one line of JSON, then waits.
 */
import { Demikernel, type QueueDescriptor, type QueueResult } from "../../src/index";
import { randomBytes, sha256 } from "./clients";
import { type ClientReport, HEADER_BYTES, type Order, orders } from "./closing";

const PUSH_BYTES = 48_000;
const WAIT = { timeoutMs: 10_000 };
const [hostname = "", port = "", closedPort = "", size = ""] = process.argv.slice(2);
const bytes = Number(size);
const contents = randomBytes(bytes);
const digest = sha256(contents);
const demikernel = await Demikernel.open();

function outcome(result: QueueResult): string {
  return result.opcode === "failed" ? result.error.code : result.opcode;
}

async function connect(toPort: number): Promise<{ qd: QueueDescriptor; connected: string }> {
  const qd = demikernel.socket("stream");
  const token = demikernel.connect(qd, { hostname, port: toPort });
  return { qd, connected: outcome(await demikernel.wait(token, WAIT)) };
}

async function send(qd: QueueDescriptor, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length; at += PUSH_BYTES) {
    const token = demikernel.push(qd, data.subarray(at, at + PUSH_BYTES));
    const result = await demikernel.wait(token, WAIT);
    if (result.opcode === "failed") throw result.error;
  }
}

/** Pops until `bytes` have come; whether they are the right ones. */
async function receive(qd: QueueDescriptor): Promise<boolean> {
  const hash = new Bun.CryptoHasher("sha256");
  for (let received = 0; received < bytes;) {
    const result = await demikernel.wait(demikernel.pop(qd), WAIT);
    if (result.opcode !== "pop") throw new Error(`pop: ${outcome(result)}`);
    using array = result.sga;
    if (array.byteLength === 0) return false;
    for (const segment of array.segments) hash.update(segment);
    received += array.byteLength;
  }
  return hash.digest("hex") === digest;
}

/** What the next pop says: "end", an error's code, or that there are bytes too many. */
async function ending(qd: QueueDescriptor): Promise<string> {
  const result = await demikernel.wait(demikernel.pop(qd), WAIT);
  if (result.opcode !== "pop") return outcome(result);
  using array = result.sga;
  return array.byteLength === 0 ? "end" : "bytes";
}

async function exchange(order: Order): Promise<ClientReport> {
  const { qd, connected } = await connect(Number(port));
  if (connected !== "connect") throw new Error(`connect: ${connected}`);
  const header = new Uint8Array(HEADER_BYTES);
  header[0] = orders.indexOf(order);
  new DataView(header.buffer).setUint32(4, bytes, true);
  await send(qd, header);
  // A reset may overtake bytes, so the server that aborts gets its last byte after all of its own.
  const last = order === "server aborts" ? contents.subarray(-1) : contents.subarray(0, 0);
  const sending = send(qd, contents.subarray(0, contents.length - last.length));
  const [isEqual] = await Promise.all([receive(qd), sending]);
  await send(qd, last);
  let ended = "";
  if (order === "client first") {
    demikernel.shutdownWrite(qd);
    ended = await ending(qd);
  } else if (order === "server first" || order === "server aborts") {
    ended = await ending(qd);
  } else if (order === "client aborts") {
    demikernel.setOption(qd, "linger", { seconds: 0 });
  }
  const closed = outcome(await demikernel.wait(demikernel.close(qd), WAIT));
  return { order, isEqual, ended, closed };
}

const reports: ClientReport[] = [];
for (const order of orders) reports.push(await exchange(order));
const refused = await connect(Number(closedPort));
await demikernel.wait(demikernel.close(refused.qd), WAIT);
console.log(JSON.stringify({ reports, refused: refused.connected }));

demikernel.ref();
process.once("SIGTERM", async () => {
  console.error(JSON.stringify(demikernel.stats));
  await demikernel[Symbol.asyncDispose]();
  process.exit(0);
});
