/** A server killed in the middle of a transfer leaves nothing behind and starts again at once. */
import { expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { stackAddress } from "../../src/lab/link";
import type { Namespace } from "../../src/lab/namespace";
import { get } from "./clients";
import { openLink, overBackends, root, startHttp, TEST_TIMEOUT_MS } from "./setting";

/** Interfaces and XDP programs of a namespace: "demi0", or "demi0 xdp". */
async function interfaces(namespace: Namespace): Promise<string[]> {
  const text = await namespace.run("ip", "-json", "link", "show");
  const links = JSON.parse(text) as { ifname: string; xdp?: unknown }[];
  return links.map(({ ifname, xdp }) => (xdp === undefined ? ifname : `${ifname} xdp`)).sort();
}

function networkOf(pid: string | number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return "";
  }
}

/** Processes in a network namespace. */
function inhabitants(network: string): string[] {
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return processes.filter((pid) => networkOf(pid) === network);
}

async function eventually(condition: () => boolean | Promise<boolean>): Promise<boolean> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await condition()) return true;
    await Bun.sleep(20);
  }
  return false;
}

overBackends((backend) => {
  test(
    "a server killed mid-transfer leaves no program or interface and starts again at once",
    async () => {
      await using link = await openLink(backend);
      const before = await interfaces(link.stackSide);
      const server = await startHttp(link, { backend });
      const running = await interfaces(link.stackSide);
      expect(running.includes("demi0 xdp")).toBe(backend === "xdp");

      const url = `http://${stackAddress}/bytes/100000000000`;
      const curl = Bun.spawn(link.kernelSide.command("curl", "-sS", "-m", "20", url), {
        stdout: "pipe",
        stderr: "ignore",
      });
      const reader = curl.stdout.getReader();
      expect((await reader.read()).done).toBe(false);
      await server.kill();
      curl.kill("SIGKILL");
      await curl.exited;

      const again = await startHttp(link, { backend });
      expect((await get(link, "/bytes/1000000")).bytes).toBe(1_000_000);
      await again.kill();
      // The kernel takes an XDP program away when the last descriptor is gone, a moment later.
      const isClean = async () => Bun.deepEquals(await interfaces(link.stackSide), before);
      expect(await eventually(isClean)).toBe(true);
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "a lab whose owner is killed leaves no process and no namespace",
    async () => {
      const script = `${root}test/integration/abandoned-lab.ts`;
      const owner = Bun.spawn([process.execPath, script, backend], {
        stdin: "ignore",
        stdout: "pipe",
        stderr: "inherit",
        timeout: TEST_TIMEOUT_MS,
        killSignal: "SIGKILL",
      });
      const { value } = await owner.stdout.getReader().read();
      const pids = JSON.parse(new TextDecoder().decode(value)) as number[];
      const networks = pids.map(networkOf);
      expect(networks).not.toContain("");
      expect(networks).not.toContain(networkOf("self"));
      owner.kill("SIGKILL");
      await owner.exited;
      const isEmpty = () => networks.every((network) => inhabitants(network).length === 0);
      expect(await eventually(isEmpty)).toBe(true);
    },
    TEST_TIMEOUT_MS,
  );
});
