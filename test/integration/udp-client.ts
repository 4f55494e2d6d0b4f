/** A kernel's UDP socket that sends one datagram of every size and compares what comes back. */
import { createSocket } from "node:dgram";

const SIZE_MAX = 1472;
const WAIT_MS = 2000;
const [address = "", port = ""] = process.argv.slice(2);
const socket = createSocket("udp4");
let heard: ((message: Buffer) => void) | undefined;
socket.on("message", (message) => heard?.(message));

/** What comes back for a datagram, or undefined. */
function echo(message: Uint8Array): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, WAIT_MS, undefined);
    heard = (answer) => {
      clearTimeout(timer);
      resolve(answer);
    };
    socket.send(message, Number(port), address);
  });
}

const wrong: string[] = [];
for (let size = 0; size <= SIZE_MAX && wrong.length < 10; size++) {
  const message = crypto.getRandomValues(new Uint8Array(size));
  const answer = await echo(message);
  if (answer === undefined) wrong.push(`${size}: no answer`);
  else if (Buffer.compare(answer, message) !== 0) wrong.push(`${size}: other bytes`);
}
socket.close();
console.log(JSON.stringify({ sizes: SIZE_MAX + 1, wrong }));
