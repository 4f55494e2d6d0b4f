/**
 * A TCP server on the kernel's stack. A connection begins with 8 bytes: how it shall end, and how
 * many bytes each side sends. Prints a line of JSON for each connection that has ended.
 */
import { createServer, type Socket } from "node:net";
import { randomBytes, sha256 } from "./clients";
import { HEADER_BYTES, orders, type ServerReport } from "./closing";

function serve(socket: Socket): void {
  const chunks: Buffer[] = [];
  let received = 0;
  let order: ServerReport["order"] | undefined;
  let bytes = 0;
  let ended = "";

  const finish = () => {
    if (order === "server first" || order === "both at once") socket.end();
    if (order === "client aborts") socket.write(randomBytes(bytes));
    if (order === "server aborts") {
      ended = "aborted";
      socket.resetAndDestroy();
    }
  };
  const begin = (header: Buffer) => {
    order = orders[header.readUInt8(0)];
    bytes = header.readUInt32LE(4);
    // A client that aborts throws away what has not arrived; our bytes tell it that all has.
    if (order !== "client aborts") socket.write(randomBytes(bytes));
  };
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    received += chunk.length;
    if (order === undefined && received >= HEADER_BYTES) begin(Buffer.concat(chunks));
    if (order !== undefined && received === HEADER_BYTES + bytes) finish();
  });
  socket.on("end", () => {
    ended ||= "end";
    socket.end();
  });
  socket.on("error", (error) => {
    ended ||= (error as NodeJS.ErrnoException).code ?? String(error);
  });
  socket.on("close", () => {
    const got = new Uint8Array(Buffer.concat(chunks).subarray(HEADER_BYTES));
    const isEqual = sha256(got) === sha256(randomBytes(bytes));
    const report = { order: order ?? "client first", ended, isEqual } satisfies ServerReport;
    console.log(JSON.stringify(report));
  });
}

const server = createServer({ allowHalfOpen: true }, serve);
server.listen(Number(process.argv[2]), "0.0.0.0", () => console.log("listening"));
