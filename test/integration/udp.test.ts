/** A kernel's UDP socket against the echo on the stack. */
import { expect, test } from "bun:test";
import { stackAddress } from "../../src/lab/link";
import { Capture } from "./capture";
import { checkChecksums } from "./checksums";
import { openLink, overBackends, root, startProgram, TEST_TIMEOUT_MS } from "./setting";

overBackends((backend) => {
  test(
    "datagrams of every size from 0 to 1,472 come back byte for byte",
    async () => {
      await using link = await openLink(backend);
      const program = ["--port", "7", "--stats"];
      await using server = await startProgram(link, "examples/udp-echo.ts", {
        backend,
        arguments: program,
      });
      await using capture = await Capture.start(link, 0);
      const client = [process.execPath, `${root}test/integration/udp-client.ts`];
      const { stdout, stderr } = await link.kernelSide.try([...client, stackAddress, "7"], {
        timeoutMs: 40_000,
      });
      expect(stderr).toBe("");
      expect(JSON.parse(stdout)).toEqual({ sizes: 1473, wrong: [] });
      const { valid, partial, bad } = checkChecksums(await capture.stop());
      expect(bad).toEqual([]);
      expect(valid + partial).toBe(2 * 1473);
      expect(await server.stop()).toBe(0);
      expect(server.statistics).toMatchObject({
        udpDatagramsReceived: 1473,
        udpDatagramsSent: 1473,
        framesOut: 0,
        connectionsOpen: 0,
      });
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "a datagram for a port that nobody has is answered by port unreachable",
    async () => {
      await using link = await openLink(backend);
      await using server = await startProgram(link, "examples/udp-echo.ts", {
        backend,
        arguments: ["--port", "7", "--stats"],
      });
      // A connected UDP socket is told of the ICMP error: socat's write or read fails with it.
      const command = ["socat", "-T1", "-", `UDP4:${stackAddress}:9`];
      const { stderr } = await link.kernelSide.try(command, { input: new Blob(["x"]) });
      expect(stderr).toContain("Connection refused");
      expect(await server.stop()).toBe(0);
      expect(server.statistics).toMatchObject({ dropUdpNoSocket: 1, icmpErrorsSent: 1 });
    },
    TEST_TIMEOUT_MS,
  );
});
