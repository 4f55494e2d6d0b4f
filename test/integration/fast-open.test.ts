/** Fast Open (RFC 7413) with the kernel: its client to our server, our client to its server. */
import { expect, test } from "bun:test";
import { kernelAddress, stackAddress } from "../../src/lab/link";
import {
  expectCleanStop,
  openLink,
  overBackends,
  root,
  startHttp,
  startProgram,
  TEST_TIMEOUT_MS,
} from "./setting";

const PORT = 9000;
const BYTES = 3000;
/** Linux's client and server, and every listener. */
const SYSCTL = "net.ipv4.tcp_fastopen=1027";

overBackends((backend) => {
  test(
    "the kernel's curl sends its request in the SYN once it has our cookie",
    async () => {
      await using link = await openLink(backend);
      await link.kernelSide.run("sysctl", "-q", "-w", SYSCTL);
      await using server = await startHttp(link, {
        backend,
        inetstack: { fast_open: { all_listeners: true } },
      });
      const url = `http://${stackAddress}/bytes/20000`;
      for (let round = 0; round < 3; round++) {
        const text = await link.kernelSide.run("curl", "-sS", "-m", "10", "--tcp-fastopen", url);
        expect(text.length).toBeGreaterThan(0);
      }
      await expectCleanStop(server);
      expect(server.statistics.tcpFastOpenCookiesSent).toBe(1);
      expect(server.statistics.tcpFastOpenPassive).toBe(2);
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "our client sends data in the SYN once it has the kernel's cookie",
    async () => {
      await using link = await openLink(backend);
      await link.kernelSide.run("sysctl", "-q", "-w", SYSCTL);
      const script = `${root}test/integration/kernel-server.ts`;
      const command = link.kernelSide.command(process.execPath, script, `${PORT}`);
      const kernel = Bun.spawn(command, { stdout: "pipe", timeout: TEST_TIMEOUT_MS });
      const reader = kernel.stdout.getReader();
      expect(new TextDecoder().decode((await reader.read()).value)).toStartWith("listening");
      reader.releaseLock();
      await using client = await startProgram(link, "test/integration/fast-open-client.ts", {
        backend,
        arguments: [kernelAddress, `${PORT}`, `${BYTES}`],
      });
      expect(JSON.parse(client.stdout)).toEqual([
        { fastOpen: "requested", isEqual: true },
        { fastOpen: "accepted", isEqual: true },
        { fastOpen: "accepted", isEqual: true },
      ]);
      await expectCleanStop(client);
      expect(client.statistics.tcpFastOpenActive).toBe(2);
      kernel.kill("SIGKILL");
      await kernel.exited;
    },
    TEST_TIMEOUT_MS,
  );
});
