/** Two packets in a hundred are lost in each direction: the bytes arrive all the same. */
import { expect, test } from "bun:test";
import type { Link } from "../../src/lab/link";
import { beyondWindow, Capture } from "./capture";
import { get, put, randomBytes, sha256 } from "./clients";
import {
  expectCleanStop,
  openLink,
  overBackends,
  root,
  startHttp,
  TEST_TIMEOUT_MS,
} from "./setting";

const BYTES = 10 * 1024 * 1024;
const HEADERS_BYTES = 100;
const body = randomBytes(BYTES);
const digest = sha256(body);

/**
 * Makes the kernel send packets as a wire carries them, and its sender one that recovers from loss
 * without SACK in reasonable time: BBR, some systems' default, takes each repair for reordering.
 */
async function likeWire({ kernelSide, kernelInterface }: Link): Promise<void> {
  const route = ["10.77.0.0/24", "dev", kernelInterface, "src", "10.77.0.1", "congctl", "reno"];
  await kernelSide.run("ip", "route", "change", ...route);
  await kernelSide.run("ethtool", "-K", kernelInterface, "tso", "off", "gso", "off");
}

overBackends((backend) => {
  test(
    "10 MB each way survive 2 % loss",
    async () => {
      await using link = await openLink(backend);
      await using server = await startHttp(link, {
        backend,
        preload: `${root}test/integration/faulty-device.ts`,
        environment: { TEST_LOSS: "0.02", TEST_SEED: "20240229" },
      });
      await likeWire(link);
      await using capture = await Capture.start(link, HEADERS_BYTES);
      const fetched = await get(link, `/bytes/${BYTES}`);
      expect(fetched).toMatchObject({ sha256: digest, bytes: BYTES });
      const sent = await put(link, body);
      expect(sent).toMatchObject({ sha256: digest, bytes: BYTES });
      const rates = [fetched, sent].map((run) => `${run.megabytesPerSecond.toFixed(1)} MB/s`);
      console.log(`${backend} with loss: get ${rates[0]}, put ${rates[1]}`);
      expect(beyondWindow(await capture.stop())).toEqual([]);
      await expectCleanStop(server);
      const { device, tcpRetransmissions } = server.statistics as never as {
        device: { sendLost: number; receiveLost: number };
        tcpRetransmissions: number;
      };
      expect(device.sendLost).toBeGreaterThan(50);
      expect(device.receiveLost).toBeGreaterThan(50);
      expect(tcpRetransmissions).toBeGreaterThan(50);
    },
    TEST_TIMEOUT_MS,
  );
});
