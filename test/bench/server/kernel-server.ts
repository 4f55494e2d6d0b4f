/** The same server as stack-server.ts with Bun.listen on the kernel's stack. */
import type { Socket } from "bun";
import { readService, sourceBytes } from "./service";

const { service, port } = readService();
const source = new Uint8Array(sourceBytes);

function pour(socket: Socket): void {
  while (socket.write(source) === source.length);
}

Bun.listen({
  hostname: "0.0.0.0",
  port,
  socket: {
    open(socket) {
      socket.setNoDelay(true);
      if (service === "source") pour(socket);
    },
    data(socket, data) {
      if (service === "echo") socket.write(data);
    },
    drain(socket) {
      if (service === "source") pour(socket);
    },
    end(socket) {
      socket.end();
    },
    error() {},
  },
});
console.log(`${service} on ${port}`);
