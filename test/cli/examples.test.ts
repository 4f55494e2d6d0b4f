/** The examples tell a mistake in its own words, without lines of their source. */
import { expect, test } from "bun:test";

const root = new URL("../..", import.meta.url).pathname;

test.each(["tcp-echo", "udp-echo", "http"])("%s without a configuration", async (name) => {
  const child = Bun.spawn([process.execPath, `examples/${name}.ts`], {
    cwd: root,
    env: { ...process.env, CONFIG_PATH: "", LIBOS: "" },
    stderr: "pipe",
    stdout: "ignore",
  });
  const words = await new Response(child.stderr).text();
  expect(await child.exited).toBe(1);
  expect(words).toBe(
    "config: no configuration file is named (EINVAL)\n" +
      "  hint: set CONFIG_PATH, for example CONFIG_PATH=config/tap.yaml\n",
  );
});

test("a port that is none is answered with the usage", async () => {
  const child = Bun.spawn([process.execPath, "examples/http.ts", "--port", "70000"], {
    cwd: root,
    stderr: "pipe",
  });
  expect(await new Response(child.stderr).text()).toContain("usage: bun examples/http.ts [--port");
  expect(await child.exited).toBe(2);
});

test("the simulation repeats itself, and another seed is another run", async () => {
  const run = async (seed: number): Promise<string> => {
    const child = Bun.spawn([process.execPath, "examples/simulation.ts", `${seed}`], { cwd: root });
    const text = await new Response(child.stdout).text();
    expect(await child.exited).toBe(0);
    return text;
  };
  const first = await run(1);
  expect(first).toMatch(/server3 is cut off: \d, \d, no answer/);
  expect(await run(1)).toBe(first);
  expect(await run(3)).not.toBe(first);
});
