/** The stack as client of a server on the kernel's TCP: all orders of ending a connection. */
import { expect, test } from "bun:test";
import { kernelAddress, type Link, stackAddress } from "../../src/lab/link";
import { beyondWindow, Capture, resets, strayResets } from "./capture";
import { checkChecksums } from "./checksums";
import { type ClientReport, orders, type ServerReport } from "./closing";
import {
  expectCleanStop,
  openLink,
  overBackends,
  root,
  startProgram,
  TEST_TIMEOUT_MS,
} from "./setting";

const PORT = 9000;
const CLOSED_PORT = 9001;
const BYTES = 1_000_000;

/** The kernel's server, until disposal; what it says of each connection. */
class KernelServer implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"ignore", "pipe", "inherit">;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: Bun.Subprocess<"ignore", "pipe", "inherit">) {
    this.#child = child;
    this.#lines = lines(child.stdout);
  }

  static async start(link: Link): Promise<KernelServer> {
    const script = `${root}test/integration/kernel-server.ts`;
    const child = Bun.spawn(link.kernelSide.command(process.execPath, script, `${PORT}`), {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
      timeout: TEST_TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    const server = new KernelServer(child);
    expect((await server.#lines.next()).value).toBe("listening");
    return server;
  }

  /** Waits for the reports of `count` connections. */
  async read(count: number): Promise<ServerReport[]> {
    const reports: ServerReport[] = [];
    while (reports.length < count) reports.push(JSON.parse((await this.#lines.next()).value));
    return reports;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    const parts = text.split("\n");
    text = parts.pop() ?? "";
    yield* parts;
  }
}

overBackends((backend) => {
  test(
    "connects to the kernel, transfers both ways and closes in every order",
    async () => {
      await using link = await openLink(backend);
      await using server = await KernelServer.start(link);
      await using capture = await Capture.start(link, 0);
      await using client = await startProgram(link, "test/integration/tcp-client.ts", {
        backend,
        arguments: [kernelAddress, `${PORT}`, `${CLOSED_PORT}`, `${BYTES}`],
      });
      const { reports, refused } = JSON.parse(client.stdout) as {
        reports: ClientReport[];
        refused: string;
      };
      expect(refused).toBe("ECONNREFUSED");
      const ends = ["end", "end", "", "", "ECONNRESET"];
      expect(reports).toEqual(
        orders.map((order, index) => ({
          order,
          isEqual: true,
          ended: ends[index] as string,
          closed: "close",
        })),
      );
      expect(await server.read(5)).toEqual([
        { order: "client first", ended: "end", isEqual: true },
        { order: "server first", ended: "end", isEqual: true },
        { order: "both at once", ended: "end", isEqual: true },
        { order: "client aborts", ended: "ECONNRESET", isEqual: true },
        { order: "server aborts", ended: "aborted", isEqual: true },
      ]);
      const packets = await capture.stop();
      expect(checkChecksums(packets).bad).toEqual([]);
      expect(beyondWindow(packets)).toEqual([]);
      // The one reset of ours is the abort that was asked for.
      expect(strayResets(packets, stackAddress)).toHaveLength(1);
      expect(resets(packets, stackAddress)).toBe(1);
      await expectCleanStop(client);
    },
    TEST_TIMEOUT_MS,
  );
});
