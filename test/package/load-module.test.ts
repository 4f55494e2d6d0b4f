/** The module reaches the program from a file or from a URL. */
import { expect, test } from "bun:test";
import { loadStackModule, stackLocation } from "../../src/wasm/load-module";

function exportsOf(module: WebAssembly.Module): string[] {
  return WebAssembly.Module.exports(module).map(({ name }) => name);
}

test("the stack is compiled once", async () => {
  const [first, second] = await Promise.all([loadStackModule(), loadStackModule()]);
  expect(exportsOf(first)).toContain("poll");
  expect(second).toBe(first);
});

test("the stack is fetched, whatever type the server gives it", async () => {
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) =>
      new URL(request.url).pathname === "/stack.wasm"
        ? new Response(Bun.file(stackLocation), { headers: { "content-type": "text/plain" } })
        : new Response(undefined, { status: 404 }),
  });
  const module = await loadStackModule(new URL("/stack.wasm", server.url));
  expect(exportsOf(module)).toContain("poll");
  const missing = new URL("/elsewhere.wasm", server.url);
  const error = await loadStackModule(missing).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code: "ENOENT", operation: "open" });
  expect(`${error}`).toContain(missing.href);
});

test("a file that is not there is an error with a hint", async () => {
  const missing = new URL("missing.wasm", stackLocation);
  const error = await loadStackModule(missing).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code: "ENOENT", hint: expect.stringContaining("bun run build") });
});
