/**
 * The system under test, as the runner drives it: the stack in virtual time (stack.ts) or the
 * machine's kernel over a TUN device (live.ts). Times are microseconds since the script's time
 * zero, which is where the clock stands when `start` returns. Addresses, ports, sequence numbers
 * and descriptors are the system's own; the runner translates them from and to the script's.
 */

/** Something the system under test does not do: neither a pass nor a failed expectation. */
export class UnsupportedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UnsupportedError";
  }
}

/** Text of a file by its path as a script writes it; undefined when there is none. */
export type ReadFile = (path: string) => string | undefined;

export interface SocketAddress {
  readonly family: "ipv4" | "ipv6";
  /** Dotted decimal, or RFC 5952 text. */
  readonly address: string;
  readonly port: number;
}

/** A control message's data is in the layout of Linux on x86-64. */
export interface ControlMessage {
  readonly level: number;
  readonly type: number;
  readonly data: Uint8Array;
}

export interface PollEntry {
  readonly fd: number;
  readonly events: number;
}

export interface EpollEvent {
  readonly events: number;
  readonly data: bigint;
}

/**
 * A libc call with its arguments worked out. Calls that differ by form only are one: `form` says
 * which was written, for targets that call libc. Numbers are Linux's constants.
 */
export type Call =
  | {
      readonly name: "socket";
      readonly domain: number;
      readonly type: number;
      readonly protocol: number;
    }
  | { readonly name: "bind"; readonly fd: number; readonly address: SocketAddress }
  | { readonly name: "listen"; readonly fd: number; readonly backlog: number }
  /** accept (flags 0) and accept4. */
  | { readonly name: "accept"; readonly fd: number; readonly flags: number }
  | { readonly name: "connect"; readonly fd: number; readonly address: SocketAddress }
  | {
      readonly name: "receive";
      readonly form: "read" | "readv" | "recv" | "recvfrom" | "recvmsg";
      readonly fd: number;
      /** Bytes of each buffer; one buffer unless the form is readv or recvmsg. */
      readonly sizes: readonly number[];
      readonly flags: number;
      /** Room for control messages (recvmsg). */
      readonly controlBytes: number;
      /** The script gives NULL for the buffer. */
      readonly isNull: boolean;
    }
  | {
      readonly name: "send";
      readonly form: "write" | "writev" | "send" | "sendto" | "sendmsg";
      readonly fd: number;
      /** The contents of each buffer; one buffer unless the form is writev or sendmsg. */
      readonly pieces: readonly Uint8Array[];
      readonly flags: number;
      readonly address?: SocketAddress | undefined;
      readonly control: readonly ControlMessage[];
      /** The script gives NULL for the buffer. */
      readonly isNull: boolean;
    }
  | { readonly name: "shutdown"; readonly fd: number; readonly how: number }
  | { readonly name: "close"; readonly fd: number }
  | {
      readonly name: "fcntl";
      readonly fd: number;
      readonly command: number;
      readonly value: number;
    }
  /** The result's `output` is the int that FIONREAD, SIOCINQ, SIOCOUTQ … store. */
  | {
      readonly name: "ioctl";
      readonly fd: number;
      readonly request: number;
      readonly value: number;
    }
  | {
      readonly name: "getsockopt";
      readonly fd: number;
      readonly level: number;
      readonly option: number;
      /** Bytes of the buffer. */
      readonly size: number;
    }
  | {
      readonly name: "setsockopt";
      readonly fd: number;
      readonly level: number;
      readonly option: number;
      /** In the layout of Linux on x86-64: an int, struct linger, text … */
      readonly value: Uint8Array;
    }
  | { readonly name: "poll"; readonly entries: readonly PollEntry[]; readonly timeoutMs: number }
  | { readonly name: "epoll_create"; readonly flags: number }
  | {
      readonly name: "epoll_ctl";
      readonly epollFd: number;
      readonly operation: number;
      readonly fd: number;
      readonly event: EpollEvent;
    }
  | {
      readonly name: "epoll_wait";
      readonly epollFd: number;
      readonly eventsMax: number;
      readonly timeoutMs: number;
    }
  | { readonly name: "pipe" }
  | { readonly name: "open"; readonly path: string; readonly flags: number }
  | {
      readonly name: "splice";
      readonly fromFd: number;
      readonly toFd: number;
      readonly size: number;
      readonly flags: number;
    }
  | {
      readonly name: "sendfile";
      readonly toFd: number;
      readonly fromFd: number;
      readonly offset: number;
      readonly size: number;
    };

/** What a call returned; the outputs that its form has are filled. */
export interface CallResult {
  /** -1 with `errno`, else what the call returns. */
  readonly value: number;
  /** Linux's number, 0 when the call succeeded. */
  readonly errno: number;
  /** accept, recvfrom, recvmsg: the peer. */
  readonly address?: SocketAddress | undefined;
  /** receive: the bytes that came. */
  readonly data?: Uint8Array | undefined;
  /** recvmsg: msg_flags and the control messages. */
  readonly messageFlags?: number | undefined;
  readonly control?: readonly ControlMessage[] | undefined;
  /** getsockopt: the option's bytes; ioctl: the int. */
  readonly output?: Uint8Array | undefined;
  /** poll: revents of each entry, in their order. */
  readonly revents?: readonly number[] | undefined;
  readonly epollEvents?: readonly EpollEvent[] | undefined;
  /** pipe: both descriptors. */
  readonly descriptors?: readonly [number, number] | undefined;
}

/** A call that was begun. The target moves it on whenever its time moves. */
export interface BegunCall {
  /** Undefined as long as the call blocks. */
  readonly result: CallResult | undefined;
  /** When it returned. */
  readonly returnedUs: number;
}

/** An IP packet that the system under test sent. */
export interface SentPacket {
  readonly timeUs: number;
  readonly bytes: Uint8Array;
}

/** What a script's options and the profile ask of a target. */
export interface TargetOptions {
  readonly ipVersion: 4 | 6;
  /** The system under test. */
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly gatewayAddress: string;
  readonly prefix: number;
  readonly mtu: number;
}

export interface Target extends AsyncDisposable {
  /** As reports call it: "the stack", "Linux 6.18". */
  readonly name: string;
  /** Default of `--tolerance_usecs`. */
  readonly toleranceUs: number;
  /** How long after the last event surplus packets are waited for. */
  readonly settleUs: number;

  /** Runs a shell command of the script. Throws `UnsupportedError`, or an error that it failed. */
  command(text: string): Promise<void>;

  /** Makes the system ready and sets time zero. Init commands have run before. */
  start(): Promise<void>;

  nowUs(): number;

  /** Hands an IP packet to the system at the present time. */
  inject(packet: Uint8Array): void;

  /**
   * The oldest packet sent that nobody has taken yet. Waits for one until the time comes; then
   * undefined. Returns as soon as there is one, so that time stands at the packet's.
   */
  nextPacket(untilUs: number): Promise<SentPacket | undefined>;

  /** Lets time pass; packets sent meanwhile stay for `nextPacket`. A past time returns at once. */
  sleepUntil(us: number): Promise<void>;

  /** Waits until the call returned or the time comes. */
  waitFor(call: BegunCall, untilUs: number): Promise<void>;

  /**
   * Makes a call. Whether it blocks is what O_NONBLOCK of the descriptor says; a call that returns
   * at once has its result when this returns. Throws `UnsupportedError`.
   */
  begin(call: Call): BegunCall;

  /**
   * TCP_INFO (and what else is known: tcpi_*, SK_MEMINFO_*, congestion control's) of a descriptor,
   * in Linux's units, by name.
   */
  snapshot(fd: number): ReadonlyMap<string, number>;
}
