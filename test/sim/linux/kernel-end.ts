/**
 * The machine's kernel as one end of a simulated line: a TAP in a network of its own, and a socket in
 * there that sends or receives. Nothing of the machine's own network is touched.
 */
import { writeFileSync } from "node:fs";
import {
  AF_INET,
  bind,
  close,
  cString,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  Struct,
  setsockopt,
  socket,
} from "../../../shims/libc";
import { ERRNO_EAGAIN, ERRNO_EINPROGRESS, ERRNO_ENOTCONN } from "../../../assembly/layout";
import { encodeSocketAddress } from "../../../shims/sockets/address";
import { accept4, connect, listen, read, write } from "../../../shims/sockets/calls";
import type { PollEntry } from "../../../shims/sockets/readiness";
import { configureTun } from "../../../shims/tun/configure";
import { enterNewNetwork } from "../../../shims/tun/namespace";
import { Tun } from "../../../shims/tun/tun";
import type { OutsideDevice } from "../../../src/sim/index";
import { BUFFER_BYTES, PORT } from "./line";

const POLLIN = 1;
const POLLOUT = 4;
const IPPROTO_TCP = 6;
const TCP_CONGESTION = 13;
const CHUNK_BYTES = 64 * 1024;

/** Limits of what the kernel sizes by itself, and nothing learnt from one connection for the next. */
const settings: Readonly<Record<string, string>> = {
  tcp_rmem: `4096 131072 ${2 * BUFFER_BYTES}`,
  tcp_wmem: `4096 16384 ${BUFFER_BYTES}`,
  tcp_no_metrics_save: "1",
};

const buffer = new Struct(CHUNK_BYTES);

function address(host: string) {
  return encodeSocketAddress({ family: "ipv4", address: host, port: PORT });
}

/** What a call answered; throws what is no "later". */
function answer(code: number, what: string, ...later: readonly number[]): number {
  if (code >= 0 || later.includes(-code)) return code;
  throw new Error(`the kernel's ${what} failed: errno ${-code}`);
}

export class KernelEnd implements OutsideDevice, Disposable {
  readonly #tun: Tun;
  readonly #host: string;
  #listener = -1;
  #socket = -1;
  #unsent = 0;
  #isConnecting = false;
  #received = 0;
  #expected = Number.POSITIVE_INFINITY;
  #complete: (() => void) | undefined;

  /** Leaves this thread in the new network: who needs the old one must not come here. */
  constructor(host: string) {
    enterNewNetwork();
    for (const [name, value] of Object.entries(settings)) {
      writeFileSync(`/proc/sys/net/ipv4/${name}`, value);
    }
    this.#host = host;
    this.#tun = new Tun("tap0", "tap");
    configureTun("tap0", { family: "ipv4", address: host, prefix: 24, mtu: 1500 });
  }

  /** Listens; resolves when `bytes` have arrived. To be called before another end is made. */
  receive(bytes: number): Promise<void> {
    this.#listener = this.#open();
    answer(bind(this.#listener, address(this.#host)), "bind");
    answer(listen(this.#listener, 8), "listen");
    this.#expected = bytes;
    return new Promise((resolve) => {
      this.#complete = resolve;
    });
  }

  /** A socket with CUBIC, not connected yet. To be called before another end is made. */
  prepare(): void {
    this.#socket = this.#open();
    const named = setsockopt(this.#socket, IPPROTO_TCP, TCP_CONGESTION, cString("cubic"));
    answer(named, "choice of CUBIC");
  }

  /** Connects the prepared socket and sends so many bytes. */
  send(host: string, bytes: number): void {
    answer(connect(this.#socket, address(host)), "connect", ERRNO_EINPROGRESS);
    this.#unsent = bytes;
    this.#isConnecting = true;
  }

  /** What a wait is to end for. */
  get waits(): readonly PollEntry[] {
    const waits: PollEntry[] = [{ fd: this.#tun.fd, events: POLLIN }];
    if (this.#unsent > 0) waits.push({ fd: this.#socket, events: POLLOUT });
    if (this.#listener >= 0) {
      waits.push({ fd: this.#socket < 0 ? this.#listener : this.#socket, events: POLLIN });
    }
    return waits;
  }

  /** Lets the sockets go on, then takes a frame that the kernel has sent. */
  read(): Uint8Array | undefined {
    if (this.#unsent > 0) this.#fill();
    if (this.#listener >= 0) this.#drain();
    return this.#tun.read();
  }

  write(frame: Uint8Array): void {
    this.#tun.write(frame);
  }

  [Symbol.dispose](): void {
    for (const fd of [this.#socket, this.#listener]) if (fd >= 0) close(fd);
    this.#tun[Symbol.dispose]();
  }

  #open(): number {
    return answer(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  }

  #fill(): void {
    while (this.#unsent > 0) {
      const bytes = Math.min(this.#unsent, CHUNK_BYTES);
      const later = this.#isConnecting ? [ERRNO_EAGAIN, ERRNO_ENOTCONN] : [ERRNO_EAGAIN];
      const code = answer(write(this.#socket, buffer.address, bytes), "write", ...later);
      if (code < 0) return;
      this.#isConnecting = false;
      this.#unsent -= code;
    }
  }

  #drain(): void {
    if (this.#socket < 0) {
      const [peer, length] = [new Struct(16), new Struct(4)];
      const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
      this.#socket = answer(accept4(this.#listener, peer, length, flags), "accept", ERRNO_EAGAIN);
    }
    while (this.#socket >= 0 && this.#received < this.#expected) {
      const code = read(this.#socket, buffer.address, CHUNK_BYTES);
      if (answer(code, "read", ERRNO_EAGAIN) <= 0) return;
      this.#received += code;
      if (this.#received >= this.#expected) this.#complete?.();
    }
  }
}
