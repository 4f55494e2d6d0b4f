/** Tests that need a network of their own, with a TUN: their file runs again inside of one. */
import { expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { currentNetwork } from "../../shims/tun/namespace";

const INSIDE = "DEMIBUN_TEST_OWN_NETWORK";
const isRoot = process.getuid?.() === 0;

/** The words before a command that may make networks of its own. */
export const enter = ["unshare", isRoot ? "-n" : "-Urn"];

/** Why this machine cannot run such tests; undefined when it can. CI has to be able to. */
export const obstacle = process.env.CI === undefined ? lacking() : undefined;

function lacking(): string | undefined {
  if (Bun.which("unshare") === null) return "apt-get install util-linux";
  if (!Bun.spawnSync([...enter, "true"]).success) return "run as root, or allow user namespaces";
  try {
    closeSync(openSync("/dev/net/tun", "r+"));
    return undefined;
  } catch {
    return "modprobe tun; chmod 0666 /dev/net/tun";
  }
}

/** Runs the `tests` of the file at `path` in a network of its own, as one test out here. */
export function inOwnNetwork(path: string, name: string, tests: () => void): void {
  if (process.env[INSIDE] === path) {
    tests();
    return;
  }
  if (obstacle !== undefined) {
    test.skip(`${name} (cannot run: ${obstacle})`, () => {});
    return;
  }
  test(name, () => {
    const before = currentNetwork();
    const { success, stderr } = Bun.spawnSync({
      cmd: [...enter, process.execPath, "test", path],
      env: { ...process.env, [INSIDE]: path },
      timeout: 30_000,
    });
    if (!success) console.error(stderr.toString());
    expect(success).toBe(true);
    // What is left out in there does not show out here, so nothing may be.
    expect(stderr.toString()).not.toContain("(skip)");
    expect(currentNetwork()).toBe(before);
  });
}
