/**
 * An AF_XDP socket whose UMEM is the frame region and whose rings are mapped over their places in
 * the linear memory (Documentation/networking/af_xdp.rst, linux/if_xdp.h).
 */
import {
  ADDRESS_ENTRY_SIZE,
  DESCRIPTOR_SIZE,
  ERRNO_EBUSY,
  ERRNO_EINVAL,
  FRAME_SIZE,
  METADATA_SIZE,
  PAGE_SIZE,
} from "../../assembly/layout";
import { DemibunError } from "../../src/errors";
import type { RingOffsets, RingPlaces } from "../contract";
import {
  AF_XDP,
  bind,
  close,
  getsockopt,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  memoryAddress,
  mmap,
  munmap,
  SOCK_CLOEXEC,
  SOCK_RAW,
  Struct,
  setsockopt,
  socket,
  wordStruct,
} from "../libc";

const SOL_XDP = 283;
const XDP_MMAP_OFFSETS = 1;
const XDP_RX_RING = 2;
const XDP_TX_RING = 3;
const XDP_UMEM_REG = 4;
const XDP_UMEM_FILL_RING = 5;
const XDP_UMEM_COMPLETION_RING = 6;
const XDP_STATISTICS = 7;
const XDP_MAX_TX_SKB_BUDGET = 9;

const XDP_USE_NEED_WAKEUP = 8;
const XDP_USE_SG = 16;
const UMEM_TX_METADATA_LEN = 4;

/** Descriptors that one wake-up sends, where the kernel lets us say so; 32 otherwise. */
const TX_BUDGET = 256;
const BIND_DEADLINE_MS = 2000;
const BIND_PAUSE_MS = 10;
const BIND_PAUSE_MAX_MS = 100;

/** Each ring: its size option, its offset for mmap, its entry's size. */
const rings = {
  rx: { option: XDP_RX_RING, page: 0, entry: DESCRIPTOR_SIZE },
  tx: { option: XDP_TX_RING, page: 0x80000000, entry: DESCRIPTOR_SIZE },
  fill: { option: XDP_UMEM_FILL_RING, page: 0x100000000, entry: ADDRESS_ENTRY_SIZE },
  completion: { option: XDP_UMEM_COMPLETION_RING, page: 0x180000000, entry: ADDRESS_ENTRY_SIZE },
} as const;
type RingName = keyof typeof rings;
const ringNames = Object.keys(rings) as RingName[];

function failure(errno: number, detail: string, hint?: string): DemibunError {
  return new DemibunError({ operation: "attach xdp", errno, detail, hint });
}

export function openSocket(): number {
  return socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
}

/** struct xdp_umem_reg; `metadata`: the 24 bytes before a packet tell offloads. */
function registerMemory(fd: number, at: number, bytes: number, metadata: boolean): number {
  const registration = new Struct(32);
  registration.view.setBigUint64(0, BigInt(at), true);
  registration.view.setBigUint64(8, BigInt(bytes), true);
  registration.view.setUint32(16, FRAME_SIZE, true);
  registration.view.setUint32(24, metadata ? UMEM_TX_METADATA_LEN : 0, true);
  registration.view.setUint32(28, metadata ? METADATA_SIZE : 0, true);
  return setsockopt(fd, SOL_XDP, XDP_UMEM_REG, registration);
}

/** Says whether this kernel takes offload metadata (6.8 and later; chains came before, in 6.6). */
export function takesMetadata(): boolean {
  const fd = openSocket();
  if (fd < 0) return false;
  const page = mmap(0, PAGE_SIZE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const taken = page > 0 && registerMemory(fd, page, PAGE_SIZE, true) >= 0;
  close(fd);
  if (page > 0) munmap(page, PAGE_SIZE);
  return taken;
}

export class XdpSocket implements Disposable {
  readonly fd: number;
  /** The kernel takes metadata and chains. */
  readonly #modern: boolean;
  readonly #mapped: { at: number; length: number }[] = [];
  /** The kernel writes to this memory until disposal, so it is kept alive here. */
  #memory: WebAssembly.Memory | undefined;

  constructor(fd: number, modern: boolean) {
    this.fd = fd;
    this.#modern = modern;
  }

  /** Registers the frames, maps the rings and binds to a device's queue. */
  attach(places: RingPlaces, index: number, queue: number): RingOffsets {
    this.#memory = places.memory;
    const base = memoryAddress(places.memory);
    const at = base + places.frames;
    const registered = registerMemory(this.fd, at, places.framesBytes, this.#modern);
    if (registered < 0) {
      throw failure(
        registered,
        `the frame region of ${places.framesBytes} bytes cannot be registered`,
        "ulimit -l unlimited",
      );
    }
    const entries = wordStruct(places.entries);
    for (const name of ringNames) {
      const sized = setsockopt(this.fd, SOL_XDP, rings[name].option, entries);
      if (sized < 0) throw failure(sized, `the ${name} ring of ${places.entries} entries`);
    }
    const offsets = this.#offsets();
    for (const name of ringNames) this.#map(name, base, places, offsets);
    const budget = wordStruct(Math.min(TX_BUDGET, places.entries));
    setsockopt(this.fd, SOL_XDP, XDP_MAX_TX_SKB_BUDGET, budget);
    this.#bind(index, queue);
    return offsets;
  }

  /** The kernel's ring offsets; the same for all four rings, or the contract cannot tell them. */
  #offsets(): RingOffsets {
    const told = new Struct(128);
    const size = getsockopt(this.fd, SOL_XDP, XDP_MMAP_OFFSETS, told);
    if (size !== 128) throw failure(size < 0 ? size : ERRNO_EINVAL, "the kernel tells no offsets");
    const word = (ring: number, field: number) =>
      Number(told.view.getBigUint64(ring * 32 + field * 8, true));
    for (let ring = 1; ring < ringNames.length; ring++) {
      for (let field = 0; field < 4; field++) {
        if (word(ring, field) === word(0, field)) continue;
        throw failure(ERRNO_EINVAL, "the kernel's four rings differ in their offsets");
      }
    }
    return {
      producer: word(0, 0),
      consumer: word(0, 1),
      descriptors: word(0, 2),
      flags: word(0, 3),
    };
  }

  /** Maps one ring over its place in the linear memory. */
  #map(name: RingName, base: number, places: RingPlaces, offsets: RingOffsets): void {
    const { page, entry } = rings[name];
    const bytes = offsets.descriptors + places.entries * entry;
    const length = Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;
    if (length > places.ringBytes) {
      throw failure(ERRNO_EINVAL, `the kernel's ${name} ring takes ${length} bytes`);
    }
    const at = base + places[name];
    const flags = MAP_SHARED | MAP_FIXED | MAP_POPULATE;
    const mapped = mmap(at, length, flags, this.fd, page);
    if (mapped !== at) throw failure(mapped, `the ${name} ring cannot be mapped`);
    this.#mapped.push({ at, length });
  }

  /** A socket closed a moment ago still holds the queue for a while, so EBUSY is tried again. */
  #bind(index: number, queue: number): void {
    const address = new Struct(16);
    address.view.setUint16(0, AF_XDP, true);
    const chains = this.#modern ? XDP_USE_SG : 0;
    address.view.setUint16(2, XDP_USE_NEED_WAKEUP | chains, true);
    address.view.setUint32(4, index, true);
    address.view.setUint32(8, queue, true);
    const deadline = performance.now() + BIND_DEADLINE_MS;
    for (let pause = BIND_PAUSE_MS; ; pause = Math.min(2 * pause, BIND_PAUSE_MAX_MS)) {
      const bound = bind(this.fd, address);
      if (bound >= 0) return;
      if (bound === -ERRNO_EBUSY && performance.now() < deadline) {
        Bun.sleepSync(pause);
        continue;
      }
      const busy =
        bound === -ERRNO_EBUSY ? "end the other AF_XDP program on this queue" : undefined;
      throw failure(bound, `queue ${queue} cannot be bound`, busy);
    }
  }

  /** struct xdp_statistics by name. */
  statistics(): Record<string, number> {
    const counters = new Struct(48);
    if (getsockopt(this.fd, SOL_XDP, XDP_STATISTICS, counters) < 0) return {};
    const word = (index: number) => Number(counters.view.getBigUint64(index * 8, true));
    return {
      rxDropped: word(0),
      rxInvalid: word(1),
      txInvalid: word(2),
      rxRingFull: word(3),
      rxFillEmpty: word(4),
      txRingEmpty: word(5),
    };
  }

  /** The mappings hold the socket as its fd does, so ordinary memory takes their place. */
  [Symbol.dispose](): void {
    const flags = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE;
    for (const { at, length } of this.#mapped.splice(0)) mmap(at, length, flags, -1, 0);
    close(this.fd);
    this.#memory = undefined;
  }
}
