/** What a person reads when something does not open: a code and what to do, for every backend. */
import { expect, test } from "bun:test";
import { labConfig } from "../../src/lab/server";
import { DemibunError, openPair } from "../../src/index";
import type { Link } from "../../src/lab/link";
import { ping } from "./clients";
import {
  type BackendName,
  backendNames,
  obstacle,
  openLink,
  overBackends,
  root,
  startHttp,
  TEST_TIMEOUT_MS,
} from "./setting";

/** Runs the server where it must fail; its error output. */
async function failingServer(
  link: Link,
  backend: BackendName,
  interfaceName: string,
  as: readonly string[] = [],
): Promise<string> {
  const config = labConfig({ ...link, stackInterface: interfaceName }, { backend });
  const command = [...as, process.execPath, `${root}examples/http.ts`, "--port", "80"];
  const { exitCode, stderr } = await link.stackSide.try(command, {
    environment: { LIBOS: "catpowder", CONFIG_PATH: "/dev/stdin" },
    input: new Blob([JSON.stringify(config)]),
  });
  expect(exitCode).not.toBe(0);
  return stderr;
}

const nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];

overBackends((backend) => {
  test.skipIf(process.getuid?.() !== 0)(
    "without permission",
    async () => {
      await using link = await openLink(backend);
      const words = await failingServer(link, backend, link.stackInterface, nobody);
      expect(words).toMatch(/\((EPERM|EACCES)\)/);
      expect(words).toContain("hint: ");
    },
    TEST_TIMEOUT_MS,
  );
});

// A TAP that does not exist is made, so only the others can lack one.
test.skipIf(obstacle !== undefined).each(["xdp", "packet"] as const)(
  "%s: no such interface",
  async (backend) => {
    await using link = await openLink(backend);
    const words = await failingServer(link, backend, "nothing0");
    expect(words).toContain('there is no interface "nothing0" here (ENODEV)');
    expect(words).toContain("hint: ");
  },
  TEST_TIMEOUT_MS,
);

// Several packet sockets share an interface.
test.skipIf(obstacle !== undefined).each(["tap", "xdp"] as const)(
  "%s: a device that another process has",
  async (backend) => {
    await using link = await openLink(backend);
    await using server = await startHttp(link, { backend });
    const words = await failingServer(link, backend, link.stackInterface);
    expect(words).toContain("(EBUSY)");
    expect(words).toContain("hint: ");
    expect(await server.stop()).toBe(0);
  },
  TEST_TIMEOUT_MS,
);

test.skipIf(obstacle !== undefined)(
  "a server whose stack has failed says so and ends",
  async () => {
    const backend = backendNames[0] as BackendName;
    await using link = await openLink(backend);
    await using server = await startHttp(link, {
      backend,
      preload: `${root}test/integration/broken-device.ts`,
    });
    // The device throws while these come; afterwards nobody is there to answer.
    const pings = ping(link, 30, 56);
    expect(await server.ended()).toBe(1);
    expect(await pings).toBeLessThan(30);
    expect(server.stderr).toContain("the stack failed: the device is broken (EIO)");
  },
  TEST_TIMEOUT_MS,
);

test("a port in use and an address that is not ours", async () => {
  const [here, there] = openPair();
  await using _here = here;
  await using _there = there;
  const first = here.socket("stream");
  const second = here.socket("stream");
  here.bind(first, { port: 80 });
  const refusals = [{ port: 80 }, { hostname: "10.9.9.9", port: 81 }].map((endpoint) => {
    try {
      here.bind(second, endpoint);
    } catch (error) {
      return error;
    }
    return undefined;
  });
  for (const error of refusals) expect(error).toBeInstanceOf(DemibunError);
  expect(refusals[0]).toMatchObject({ code: "EADDRINUSE", operation: "bind" });
  expect(refusals[1]).toMatchObject({ code: "EADDRNOTAVAIL", operation: "bind" });
  for (const error of refusals) expect((error as DemibunError).hint).toBeString();
});
