import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import {
  AF_UNIX,
  close,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  Struct,
  readv,
  socketpair,
  writev,
} from "../../shims/libc";
import { sleepOn } from "../../shims/sleep/sleep-on";
import { Waker } from "../../shims/sleep/waker";
import { Vectors } from "../../shims/vectors";

/** A descriptor that a test makes readable and empty again. */
class Doorbell implements Disposable {
  readonly fd: number;
  readonly #other: number;
  readonly #byte = new Struct(8);
  readonly #vector = new Vectors(1);

  constructor() {
    const pair = new Struct(8);
    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, pair);
    this.fd = pair.view.getInt32(0, true);
    this.#other = pair.view.getInt32(4, true);
    this.#vector.set(0, this.#byte.address, 1);
  }

  ring(): void {
    writev(this.#other, this.#vector.at(0), 1);
  }

  clear(): void {
    readv(this.fd, this.#vector.at(0), 1);
  }

  [Symbol.dispose](): void {
    close(this.fd);
    close(this.#other);
  }
}

const descriptorCount = () => readdirSync("/proc/self/fd").length;
const watches = (() => {
  using waker = new Waker();
  return waker.mode === "io_uring";
})();

describe("sleepOn", () => {
  test("tells whether one of the descriptors is readable", () => {
    using silent = new Doorbell();
    using bell = new Doorbell();
    expect(sleepOn([silent.fd, bell.fd], 1.5)).toBe(false);
    bell.ring();
    expect(sleepOn([silent.fd, bell.fd], Number.POSITIVE_INFINITY)).toBe(true);
    bell.clear();
    expect(sleepOn([silent.fd, bell.fd], 0)).toBe(false);
    expect(sleepOn([], 0.2)).toBe(false);
  });
});

describe.skipIf(!watches)("Waker", () => {
  test("wakes once for each watch, over and over", async () => {
    using bell = new Doorbell();
    using waker = new Waker();
    let wakes = 0;
    for (let round = 0; round < 500; round++) {
      const woken = Promise.withResolvers<void>();
      const wake = () => {
        wakes++;
        woken.resolve();
      };
      expect(waker.arm(bell.fd, wake)).toBe(true);
      expect(waker.arm(bell.fd, wake)).toBe(true);
      bell.ring();
      await woken.promise;
      bell.clear();
    }
    expect(wakes).toBe(500);
  });

  test("wakes for what was readable before the watch", async () => {
    using bell = new Doorbell();
    using waker = new Waker();
    bell.ring();
    const woken = Promise.withResolvers<string>();
    expect(waker.arm(bell.fd, () => woken.resolve("woken"))).toBe(true);
    expect(await woken.promise).toBe("woken");
  });

  test("does not wake after disarm, and watches anew", async () => {
    using bell = new Doorbell();
    using waker = new Waker();
    const calls: string[] = [];
    waker.arm(bell.fd, () => calls.push("first"));
    waker.disarm();
    bell.ring();
    await Bun.sleep(5);
    expect(calls).toEqual([]);
    const woken = Promise.withResolvers<void>();
    waker.arm(bell.fd, () => {
      calls.push("second");
      woken.resolve();
    });
    await woken.promise;
    expect(calls).toEqual(["second"]);
  });

  test("hands over to its owner where a descriptor cannot be watched", async () => {
    using waker = new Waker();
    const bell = new Doorbell();
    bell[Symbol.dispose]();
    expect(waker.arm(bell.fd, () => {})).toBe(false);
  });

  test("leaves no descriptor behind", async () => {
    using bell = new Doorbell();
    const before = descriptorCount();
    for (let round = 0; round < 100; round++) {
      using waker = new Waker();
      waker.arm(bell.fd, () => {});
    }
    // The runner may open some of its own meanwhile; a leak would be a hundred.
    const limit = before + 20;
    for (let tries = 0; tries < 100 && descriptorCount() > limit; tries++) await Bun.sleep(10);
    expect(descriptorCount()).toBeLessThanOrEqual(limit);
  });

  test("does not keep the process alive", () => {
    const waker = new URL("../../shims/sleep/waker.ts", import.meta.url).pathname;
    const script = `import { Waker } from ${JSON.stringify(waker)};
      const waker = new Waker(); waker.arm(0, () => {}); console.log(waker.mode);`;
    const { exitCode, stdout } = Bun.spawnSync([process.execPath, "-e", script], {
      stdin: "pipe",
      timeout: 20_000,
    });
    expect(stdout.toString()).toBe("io_uring\n");
    expect(exitCode).toBe(0);
  });
});
