/** Opens a lab with a running server, tells its processes, and waits to be killed. */
import { type BackendName, openLink, startHttp } from "./setting";

const link = await openLink(process.argv[2] as BackendName);
const server = await startHttp(link, { backend: process.argv[2] as BackendName });
console.log(JSON.stringify([link.stackSide.pid, link.kernelSide.pid, server.pid]));
setInterval(() => {}, 60_000);
