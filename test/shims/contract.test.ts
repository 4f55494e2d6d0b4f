/**
 * The contract of shims/contract.ts, one suite over all backends. The devices live in a network
 * namespace of their own: this file runs itself again inside one, which ends with that process.
 */
import { describe, expect, test } from "bun:test";
import type { Backend, BackendDefinition } from "../../shims/contract";
import { loopbackPair } from "../../shims/loopback/loopback";
import { backends, openBest } from "../../shims/registry";
import { frame, ownAddress } from "./frames";
import { LoopbackPeer } from "./loopback-peer";
import { KernelPeer } from "./peer";
import { contractSuite, type Device, Rig } from "./suite";

const INSIDE = "DEMIBUN_TEST_NAMESPACE";
const isRoot = process.getuid?.() === 0;

function run(...command: string[]): { ok: boolean; text: string } {
  const { success, stdout, stderr } = Bun.spawnSync(command, { stderr: "pipe", timeout: 50_000 });
  return { ok: success, text: stdout.toString() + stderr.toString() };
}

function loopback(): Device {
  let other: Backend;
  return {
    name: "loopback",
    open() {
      const [first, second] = loopbackPair({ segmentMax: 65_535 });
      other = second;
      return first;
    },
    peer: () => new LoopbackPeer(other),
    keepsUnposted: true,
    tellsMetadata: true,
    returnsInvalid: true,
  };
}

/** `name` is opened by the backend, `peerName` is where the kernel's end of it is. */
function device(definition: BackendDefinition, name: string, peerName: string): Device {
  const isRing = definition.name === "xdp";
  return {
    name: definition.name,
    open: () => definition.open({ interfaceName: name, address: ownAddress }),
    peer: () => new KernelPeer(peerName),
    keepsUnposted: !isRing,
    tellsMetadata: !isRing,
    returnsInvalid: !isRing,
  };
}

async function prepareNamespace(): Promise<void> {
  for (const which of ["all", "default"]) {
    await Bun.write(`/proc/sys/net/ipv6/conf/${which}/disable_ipv6`, "1");
  }
  const made = run(..."ip link add veth0 type veth peer name veth1".split(" "));
  if (!made.ok) throw new Error(made.text);
  run("ip", "link", "set", "veth0", "up");
  run("ip", "link", "set", "veth1", "up");
}

function find(name: string): BackendDefinition {
  const found = backends.find((backend) => backend.name === name);
  if (found === undefined) throw new Error(`no backend ${name}`);
  return found;
}

/** Leaves a backend out, saying why, where this user or machine cannot have it. */
function usableSuite(definition: BackendDefinition, name: string, peerName: string): void {
  const probe = definition.probe();
  if (probe.usable) contractSuite(device(definition, name, peerName));
  else test.skip(`${definition.name}: ${probe.reason}`, () => {});
}

const hasTap = find("tap").probe().usable;

function deviceTests(): void {
  usableSuite(find("tap"), "tap0", "tap0");
  usableSuite(find("packet"), "veth0", "veth1");
  usableSuite(find("xdp"), "veth0", "veth1");

  describe("devices", () => {
    test.skipIf(!hasTap)("nothing is left when a backend is closed", () => {
      expect(run("ip", "link", "show", "tap0").ok).toBe(false);
      const opened = openBest({ interfaceName: "tap0", address: ownAddress });
      expect(opened.name).toBe("tap");
      expect(run("ip", "link", "show", "tap0").ok).toBe(true);
      opened[Symbol.dispose]();
      expect(run("ip", "link", "show", "tap0").ok).toBe(false);
      expect(run("ip", "-d", "link", "show", "veth0").text).not.toContain("prog/xdp");
    });

    test.skipIf(!find("xdp").probe().usable)("a killed process leaves no XDP program", async () => {
      const script = new URL("open-all.ts", import.meta.url).pathname;
      const holder = Bun.spawn([process.execPath, script, "veth0", "hold"], { stdout: "pipe" });
      const reader = holder.stdout.getReader();
      await reader.read();
      expect(run("ip", "-d", "link", "show", "veth0").text).toContain("prog/xdp");
      holder.kill("SIGKILL");
      await holder.exited;
      using again = new Rig(device(find("xdp"), "veth0", "veth1"));
      const { mac } = again.backend.capabilities;
      again.stack.post();
      again.peer.send(frame(mac, 99));
      expect(again.receive(1)).toHaveLength(1);
    });

    test("the best backend is chosen by what the interface is", () => {
      using best = openBest({ interfaceName: "veth0", address: ownAddress });
      expect(["xdp", "packet"]).toContain(best.name);
    });

    test("says what is wrong and what mends it", () => {
      const missing = { interfaceName: "nowhere0", address: ownAddress };
      const wrong = { interfaceName: "veth0", address: "10.0.0" };
      for (const open of [find("xdp").open, find("packet").open, openBest]) {
        expect(() => open(missing)).toThrow(
          /no interface "nowhere0".*ENODEV[\s\S]*hint: ip -brief/,
        );
        expect(() => open(wrong)).toThrow(/"10.0.0" is no IPv4 address.*EINVAL[\s\S]*hint:/);
      }
    });

    test.skipIf(!hasTap)("says why a TAP cannot be had", () => {
      expect(() => find("tap").open({ interfaceName: "veth0", address: ownAddress })).toThrow(
        /EINVAL[\s\S]*hint:.*veth0 exists and is no TAP/,
      );
      using _held = find("tap").open({ interfaceName: "tap1", address: ownAddress });
      expect(() => find("tap").open({ interfaceName: "tap1", address: ownAddress })).toThrow(
        /EBUSY[\s\S]*hint:.*another process/,
      );
    });

    test.skipIf(process.env[INSIDE] !== "root")("names the privilege that is missing", () => {
      const script = new URL("open-all.ts", import.meta.url).pathname;
      const drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
      const { text } = run(...drop, process.execPath, script, "veth0");
      expect(text).toMatch(/xdp EPERM .*cap_bpf/);
      expect(text).toMatch(/packet EPERM .*cap_net_raw/);
      expect(text).toMatch(/tap (EPERM .*ip tuntap add|EACCES .*chmod)/);
    });
  });
}

if (process.env[INSIDE] === undefined) {
  contractSuite(loopback());

  test("devices in a network namespace of their own", () => {
    const unshare = isRoot ? ["unshare", "-n"] : ["unshare", "-Urn"];
    const inside = [
      "env",
      `${INSIDE}=${isRoot ? "root" : "user"}`,
      process.execPath,
      "test",
      import.meta.path,
    ];
    const { ok, text } = run(...unshare, ...inside);
    if (!ok) console.error(text);
    expect(ok).toBe(true);
    // What is left out in there does not show out here, and where nothing may be left out nothing is.
    if (process.env.CI !== undefined && isRoot) expect(text).not.toContain("(skip)");
  });
} else {
  await prepareNamespace();
  deviceTests();
}
