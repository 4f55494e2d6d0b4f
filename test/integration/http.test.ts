/** The kernel's HTTP clients and ping against the server on the stack, with captures of each run. */
import { expect, test } from "bun:test";
import { stackAddress } from "../../src/lab/link";
import { beyondWindow, Capture, resets, strayResets } from "./capture";
import { checkChecksums } from "./checksums";
import { ab, get, ping, put, randomBytes, sha256, wrk } from "./clients";
import { expectCleanStop, openLink, overBackends, startHttp, TEST_TIMEOUT_MS } from "./setting";

const BYTES = 100 * 1024 * 1024;
const WHOLE_BYTES = 1_000_003;
const HEADERS_BYTES = 100;
const body = randomBytes(BYTES);
const digest = sha256(body);

overBackends((backend) => {
  test(
    "ping answers, also to fragments",
    async () => {
      await using link = await openLink(backend);
      await using server = await startHttp(link, { backend });
      await using capture = await Capture.start(link, 0);
      expect(await ping(link, 5, 56)).toBe(5);
      expect(await ping(link, 5, 4000)).toBe(5);
      expect(await ping(link, 2, 60_000)).toBe(2);
      expect(checkChecksums(await capture.stop()).bad).toEqual([]);
      await expectCleanStop(server);
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "curl fetches and puts 100 MB",
    async () => {
      await using link = await openLink(backend);
      await using server = await startHttp(link, { backend });
      await using capture = await Capture.start(link, HEADERS_BYTES);
      const fetched = await get(link, `/bytes/${BYTES}`);
      expect(fetched).toMatchObject({ sha256: digest, bytes: BYTES });
      const sent = await put(link, body);
      expect(sent).toMatchObject({ sha256: digest, bytes: BYTES });
      const rates = [fetched, sent].map((run) => `${run.megabytesPerSecond.toFixed(0)} MB/s`);
      console.log(`${backend}: get ${rates[0]}, put ${rates[1]}`);
      const packets = await capture.stop();
      expect(packets.length).toBeGreaterThan(100);
      expect(beyondWindow(packets)).toEqual([]);
      expect(resets(packets, stackAddress)).toBe(0);
      await expectCleanStop(server);
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "checksums are right in both directions",
    async () => {
      await using link = await openLink(backend);
      await using server = await startHttp(link, { backend });
      await using capture = await Capture.start(link, 0);
      const part = body.slice(0, WHOLE_BYTES);
      expect((await get(link, `/bytes/${WHOLE_BYTES}`)).sha256).toBe(sha256(part));
      expect((await put(link, part)).sha256).toBe(sha256(part));
      const packets = await capture.stop();
      const { valid, partial, bad } = checkChecksums(packets);
      expect(bad).toEqual([]);
      expect(valid + partial).toBeGreaterThan(20);
      expect(strayResets(packets, stackAddress)).toEqual([]);
      await expectCleanStop(server);
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "wrk keeps 256 connections busy, ab opens 20,000: none fails, windows hold, no stray reset",
    async () => {
      await using link = await openLink(backend);
      await using server = await startHttp(link, { backend });
      await using capture = await Capture.start(link, HEADERS_BYTES);
      const kept = await wrk(link, 5);
      expect(kept.failures, kept.text).toBe(0);
      expect(kept.requests).toBeGreaterThan(1000);
      const opened = await ab(link, 20_000);
      expect(opened.failures, opened.text).toBe(0);
      expect(opened.requests).toBe(20_000);
      const packets = await capture.stop();
      expect(packets.length).toBeGreaterThan(100_000);
      expect(beyondWindow(packets)).toEqual([]);
      expect(strayResets(packets, stackAddress)).toEqual([]);
      console.log(
        `${backend}: wrk ${kept.requestsPerSecond.toFixed(0)} requests/s, ` +
          `ab ${opened.requestsPerSecond.toFixed(0)} connections/s`,
      );
      await expectCleanStop(server);
      expect(server.statistics.tcpResetsSent).toBe(0);
    },
    TEST_TIMEOUT_MS,
  );
});
