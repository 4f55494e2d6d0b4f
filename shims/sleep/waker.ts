/**
 * Wakes Bun's event loop when a device's descriptor turns readable. The event loop can wait on
 * sockets only, so io_uring watches the descriptor and writes a byte to a socket that Bun reads.
 */
import {
  AF_UNIX,
  close,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  Struct,
  socketpair,
} from "../libc";
import { PollRing } from "./poll-ring";

/** `polling`: the kernel allows no io_uring, so the owner has to look by a timer. */
export type WakerMode = "io_uring" | "polling";

/** Bun takes a connected socket's descriptor, which its types do not tell. */
type ConnectByDescriptor = (options: {
  fd: number;
  socket: { data(): void };
}) => Promise<{ unref(): void; terminate(): void }>;

export class Waker implements Disposable {
  readonly #ring: PollRing | undefined;
  /** The end that the kernel writes to. */
  readonly #target: number = -1;
  #socket: { terminate(): void } | undefined;
  #wake: (() => void) | undefined;
  #open = true;

  constructor() {
    const pair = new Struct(8);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, pair) < 0) return;
    this.#target = pair.view.getInt32(4, true);
    this.#ring = PollRing.open();
    const fd = pair.view.getInt32(0, true);
    if (this.#ring === undefined) close(fd);
    else this.#listen(fd);
  }

  get mode(): WakerMode {
    return this.#ring === undefined ? "polling" : "io_uring";
  }

  /**
   * Calls `wake` once when `fd` turns readable (or at once, if it is). One descriptor at a time: when
   * a watch is pending only its callback changes. False when the owner has to look by itself.
   * The watch never keeps the process alive.
   */
  arm(fd: number, wake: () => void): boolean {
    const ring = this.#ring;
    if (!this.#open || ring === undefined) return false;
    ring.collect();
    // A descriptor in an error state is readable at once and for ever: a timer must take over.
    if (ring.failed) {
      ring.failed = false;
      return false;
    }
    this.#wake = wake;
    return ring.arm(fd, this.#target);
  }

  /** Ends the watch, after which the descriptor may be closed. */
  disarm(): void {
    this.#wake = undefined;
    this.#ring?.disarm();
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#wake = undefined;
    this.#ring?.[Symbol.dispose]();
    if (this.#target >= 0) close(this.#target);
    this.#socket?.terminate();
  }

  async #listen(fd: number): Promise<void> {
    const connect = Bun.connect as unknown as ConnectByDescriptor;
    const socket = await connect({ fd, socket: { data: () => this.#woken() } });
    socket.unref();
    if (this.#open) this.#socket = socket;
    else socket.terminate();
  }

  #woken(): void {
    if (!this.#open || this.#ring === undefined) return;
    this.#ring.collect();
    if (this.#ring.armed) return;
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
