/**
 * A client on the stack that wants Fast Open: connects to the kernel's server several times, sends at
 * once, reads what comes back. Prints one line of JSON, then waits.
 */
import { Demikernel } from "../../src/index";
import { randomBytes, sha256 } from "./clients";
import { HEADER_BYTES, orders } from "./closing";

const WAIT = { timeoutMs: 10_000 };
const ROUNDS = 3;
const [hostname = "", port = "", size = ""] = process.argv.slice(2);
const bytes = Number(size);
const contents = randomBytes(bytes);
const demikernel = await Demikernel.open();

interface Round {
  readonly fastOpen: string;
  readonly isEqual: boolean;
}

async function exchange(): Promise<Round> {
  const qd = demikernel.socket("stream");
  demikernel.setOption(qd, "fastOpenConnect", true);
  const connect = demikernel.connect(qd, { hostname, port: Number(port) });
  const request = new Uint8Array(HEADER_BYTES + bytes);
  request[0] = orders.indexOf("client first");
  new DataView(request.buffer).setUint32(4, bytes, true);
  request.set(contents, HEADER_BYTES);
  const push = demikernel.push(qd, request);
  await demikernel.wait(connect, WAIT);
  await demikernel.wait(push, WAIT);
  const received = new Uint8Array(bytes);
  for (let at = 0; at < bytes;) {
    const result = await demikernel.wait(demikernel.pop(qd), WAIT);
    if (result.opcode !== "pop") throw new Error(result.opcode);
    using array = result.sga;
    received.set(array.copy(), at);
    at += array.byteLength;
  }
  const { fastOpen } = demikernel.info(qd);
  await demikernel.wait(demikernel.close(qd), WAIT);
  return { fastOpen, isEqual: sha256(received) === sha256(contents) };
}

const rounds: Round[] = [];
for (let round = 0; round < ROUNDS; round++) rounds.push(await exchange());
console.log(JSON.stringify(rounds));

demikernel.ref();
process.once("SIGTERM", async () => {
  console.error(JSON.stringify(demikernel.stats));
  await demikernel[Symbol.asyncDispose]();
  process.exit(0);
});
