/**
 * The contract of a NIC backend. A backend moves frames between a device and the four rings of one
 * interface (assembly/layout.ts, AF_XDP's format) and decides nothing about their contents.
 */

/** Where an interface's rings and the frame region lie in the linear memory, in bytes. */
export interface RingPlaces {
  readonly memory: WebAssembly.Memory;
  /** Start of each ring's page-aligned place; `ringBytes` long each. */
  readonly rx: number;
  readonly tx: number;
  readonly fill: number;
  readonly completion: number;
  readonly ringBytes: number;
  /** Entries a ring has; a power of two. */
  readonly entries: number;
  /** The frame region (AF_XDP's UMEM): ring addresses count from here. */
  readonly frames: number;
  readonly framesBytes: number;
}

/** Offsets of a ring's fields from its start; AF_XDP tells its own, the rest use layout.ts's. */
export interface RingOffsets {
  readonly producer: number;
  readonly consumer: number;
  readonly flags: number;
  readonly descriptors: number;
}

export interface Capabilities {
  /** Six bytes: the address the stack answers to on this device. */
  readonly mac: Uint8Array;
  /** Largest IP packet in bytes. */
  readonly mtu: number;
  /** Sends packets with a partial transport checksum told by metadata. */
  readonly checksum: boolean;
  /** Takes super-frames with a segment size: the largest IP packet in bytes, or 0. */
  readonly segmentMax: number;
  /** Descriptors that one packet may consist of; 1 when chains are not possible. */
  readonly chainMax: number;
  /**
   * Frames worth posting for receiving; 0: as many as the ring holds. A device that the backend reads
   * by system calls keeps its own queue, and few frames stay in the cache.
   */
  readonly postedMax: number;
  /** Received transport checksums may be partial without metadata telling so (veth). */
  readonly partialReceive: boolean;
  /** The other side of the rings is the kernel or another thread: indexes need atomic stores. */
  readonly sharedRings: boolean;
}

export interface Backend extends Disposable {
  readonly name: string;
  /** Known after construction. */
  readonly capabilities: Capabilities;
  /**
   * A file descriptor that polls readable when packets wait, for the reactor to sleep on;
   * undefined when the backend must be polled. Every watch on it (shims/sleep) ends before the
   * backend is disposed, or the kernel keeps the device busy. Packets left in the tx ring do not
   * make it readable: their owner polls again.
   */
  readonly readiness: number | undefined;
  /**
   * Connects the device to the rings. Called once, before the stack posts its first frame; returns
   * the ring offsets the stack must use. From here until disposal the device may write to frames
   * posted in the fill ring, so the memory must stay alive.
   */
  attach(places: RingPlaces): RingOffsets;
  /**
   * Moves up to one batch each way (or wakes the kernel to do so) and returns the packets moved (or
   * the descriptors, where the kernel moves them): 0 when nothing was to do. Never blocks, never
   * calls back. Packets that the device cannot take yet stay in the tx ring; those it refuses for
   * good are completed and counted. Disposed, it does nothing.
   */
  poll(): number;
  /** The sending half of `poll` alone, for a turn that has asked for packets already. */
  transmit(): number;
  /** Device counters worth showing, by name. */
  statistics(): Readonly<Record<string, number>>;
}

export type Probe =
  | { readonly usable: true }
  | { readonly usable: false; readonly reason: string; readonly hint: string };

/** What a backend needs to open: resolved configuration, the same for all. */
export interface BackendOptions {
  /** The Linux interface (xdp, packet) or the TAP device's name (tap). */
  readonly interfaceName: string;
  /** The stack's own IPv4 address, for filters that leave the kernel its traffic. */
  readonly address: string;
  /** MAC to use; undefined: the device's own (xdp, packet) or a random local one (tap). */
  readonly mac?: Uint8Array;
  /** MTU to use; undefined: the device's. */
  readonly mtu?: number;
  /** Device queue, 0 by default. */
  readonly queue?: number;
}

/** One entry of the registry: everything that config, `--help`, `doctor` and tests ask about. */
export interface BackendDefinition {
  readonly name: string;
  readonly summary: string;
  /** Says whether this machine and user can open it, and if not, the command that mends it. */
  probe(): Probe;
  /** Opens the device. Throws DemibunError (ENODEV, EPERM, EBUSY, …) with a hint. */
  open(options: BackendOptions): Backend;
}
