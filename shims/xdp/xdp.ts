/**
 * AF_XDP: the kernel is the other side of the rings, so nothing runs here for a packet; a poll only
 * wakes the kernel where it asks for that.
 */
import {
  ERRNO_EBUSY,
  ERRNO_EEXIST,
  ERRNO_EPERM,
  FRAME_SIZE,
  RING_NEED_WAKEUP,
  RX_HEADROOM,
} from "../../assembly/layout";
import { DemibunError } from "../../src/errors";
import type {
  Backend,
  BackendDefinition,
  BackendOptions,
  Capabilities,
  Probe,
  RingOffsets,
  RingPlaces,
} from "../contract";
import { addressBytes, bringUp, interfaceFacts, isVirtual } from "../interface";
import { close, isPassing, kickReceive, kickSend } from "../libc";
import { DeviceRings } from "../ring";
import { Program } from "./program";
import { openSocket, takesMetadata, XdpSocket } from "./socket";

/** One linear piece and MAX_SKB_FRAGS (17) more, less one where kernels disagree. */
const CHAIN_MAX = 17;
const ETHERNET_BYTES = 14;
/** Wake-ups for sending in one poll; each sends a bounded number of descriptors. */
const KICKS_MAX = 4;
const ATTACH_ATTEMPTS = 10;
const ATTACH_PAUSE_MS = 20;

class Xdp implements Backend {
  readonly name = "xdp";
  readonly capabilities: Capabilities;
  readonly readiness: number;
  readonly #socket: XdpSocket;
  readonly #program: Program;
  readonly #index: number;
  readonly #queue: number;
  #rings: DeviceRings | undefined;
  /** Indexes as the last poll saw them, to tell how much the kernel has moved since. */
  #received = 0;
  #sent = 0;
  #rxPackets = 0;
  #txDescriptors = 0;
  #txErrors = 0;
  #open = true;

  constructor(
    socket: XdpSocket,
    program: Program,
    index: number,
    queue: number,
    capabilities: Capabilities,
  ) {
    this.#socket = socket;
    this.#program = program;
    this.#index = index;
    this.#queue = queue;
    this.readiness = socket.fd;
    this.capabilities = capabilities;
  }

  attach(places: RingPlaces): RingOffsets {
    const offsets = this.#socket.attach(places, this.#index, this.#queue);
    this.#rings = new DeviceRings(places, offsets);
    const redirected = this.#program.redirect(this.#queue, this.readiness);
    if (redirected < 0) {
      throw new DemibunError({ operation: "attach xdp", errno: redirected });
    }
    return offsets;
  }

  poll(): number {
    const rings = this.#rings;
    if (rings === undefined) return 0;
    this.#wakeSending(rings);
    if ((rings.fill.flags & RING_NEED_WAKEUP) !== 0 && rings.fill.published() !== 0) {
      kickReceive(this.readiness);
    }
    const received = rings.rx.producerIndex();
    const sent = rings.tx.consumerIndex();
    const arrived = (received - this.#received) >>> 0;
    const left = (sent - this.#sent) >>> 0;
    this.#received = received;
    this.#sent = sent;
    this.#rxPackets += arrived;
    this.#txDescriptors += left;
    return arrived + left;
  }

  /** Wakes the kernel until it has taken the tx ring's entries or takes no more for now. */
  #wakeSending({ tx }: DeviceRings): void {
    let waiting = tx.published();
    for (let kick = 0; kick < KICKS_MAX && waiting !== 0; kick++) {
      if ((tx.flags & RING_NEED_WAKEUP) === 0) return;
      const result = kickSend(this.readiness);
      // EBUSY: the driver is at work on this queue already.
      if (result < 0 && result !== -ERRNO_EBUSY && !isPassing(result)) this.#txErrors++;
      const after = tx.published();
      if (after === waiting) return;
      waiting = after;
    }
  }

  transmit(): number {
    const rings = this.#rings;
    if (rings === undefined) return 0;
    this.#wakeSending(rings);
    // What left is counted by the next poll.
    return 0;
  }

  statistics(): Readonly<Record<string, number>> {
    return {
      rxDescriptors: this.#rxPackets,
      txDescriptors: this.#txDescriptors,
      txErrors: this.#txErrors,
      nativeMode: this.#program.mode === "native" ? 1 : 0,
      ...(this.#open ? this.#socket.statistics() : {}),
    };
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#rings = undefined;
    this.#program[Symbol.dispose]();
    this.#socket[Symbol.dispose]();
  }
}

function failure(errno: number, detail: string, hint?: string): DemibunError {
  const privilege =
    "run as root, or once: setcap cap_net_raw,cap_net_admin,cap_bpf+ep $(readlink -f $(which bun)); " +
    "raw_socket.backend: tap needs no privilege";
  const advice = hint ?? (Math.abs(errno) === ERRNO_EPERM ? privilege : undefined);
  return new DemibunError({ operation: "open xdp", errno, detail, hint: advice });
}

/** A process that was killed has its program taken away a moment after its end. */
function attachProgram(name: string, index: number, queue: number, address: Uint8Array): Program {
  for (let attempt = 1; ; attempt++) {
    const program = Program.attach(index, queue, address);
    if (typeof program !== "number") return program;
    // A program in the other mode is told by EEXIST.
    const isBusy = program === -ERRNO_EBUSY || program === -ERRNO_EEXIST;
    if (isBusy && attempt < ATTACH_ATTEMPTS) {
      Bun.sleepSync(ATTACH_PAUSE_MS);
      continue;
    }
    if (!isBusy) throw failure(program, `the XDP program cannot be attached to ${name}`);
    throw failure(
      ERRNO_EBUSY,
      `${name} has an XDP program already`,
      `end the process that has it (bpftool net show dev ${name}), or: ip link set dev ${name} xdp off`,
    );
  }
}

function capabilitiesOf(options: BackendOptions, modern: boolean): Capabilities {
  const { mac, mtu } = interfaceFacts(options.interfaceName);
  const virtual = isVirtual(options.interfaceName);
  // Without chains a received packet must fit into one frame.
  const limit = modern ? mtu : Math.min(mtu, FRAME_SIZE - RX_HEADROOM - ETHERNET_BYTES);
  return {
    mac: options.mac ?? mac,
    mtu: Math.min(options.mtu ?? limit, limit),
    // A NIC's driver may ignore the metadata in zero-copy mode; virtual devices always copy.
    checksum: modern && virtual,
    segmentMax: 0,
    chainMax: modern ? CHAIN_MAX : 1,
    postedMax: 0,
    partialReceive: virtual,
    sharedRings: true,
  };
}

function openXdp(options: BackendOptions): Backend {
  const name = options.interfaceName;
  const queue = options.queue ?? 0;
  const address = addressBytes(options.address);
  const { index } = interfaceFacts(name);
  const fd = openSocket();
  if (fd < 0) throw failure(fd, "an AF_XDP socket cannot be opened");
  try {
    const modern = takesMetadata();
    bringUp(name);
    const capabilities = capabilitiesOf(options, modern);
    const program = attachProgram(name, index, queue, address);
    return new Xdp(new XdpSocket(fd, modern), program, index, queue, capabilities);
  } catch (error) {
    close(fd);
    throw error;
  }
}

function probe(): Probe {
  const fd = openSocket();
  if (fd >= 0) close(fd);
  // A user namespace gives the socket, but not the right to load its program.
  const loaded = fd < 0 ? fd : Program.check();
  if (loaded >= 0) return { usable: true };
  const what = fd < 0 ? "an AF_XDP socket cannot be opened" : "an XDP program cannot be loaded";
  const { message, hint } = failure(loaded, what);
  const reason = message.split("\n")[0] as string;
  return { usable: false, reason, hint: hint ?? "raw_socket.backend: tap works on every kernel" };
}

export const xdp: BackendDefinition = {
  name: "xdp",
  summary: "AF_XDP on a NIC or veth: the kernel's rings in the stack's memory; needs CAP_BPF",
  probe,
  open: openXdp,
};
