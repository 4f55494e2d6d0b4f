/**
 * One single-producer single-consumer ring in AF_XDP's format (linux/if_xdp.h), seen from the
 * stack's side. The kernel, a shim or a simulator is the other side and may live in another thread.
 *
 * The other side's index is read by one plain load where a bounded batch starts, and ours is
 * published by one store where it ends, an atomic one when that side runs beside us: a plain load in
 * a loop may be hoisted by the engine, and an atomic access costs a locked instruction.
 */
import {
  ADDRESS_ENTRY_SIZE,
  DESCRIPTOR_SIZE,
  DESCRIPTOR_LENGTH,
  DESCRIPTOR_OPTIONS,
  RING_NEED_WAKEUP,
  RING_RECORD_SIZE,
} from "../layout";

@unmanaged
export class Ring {
  producer: usize;
  consumer: usize;
  flags: usize;
  descriptors: usize;
  mask: u32;
  /** Our own index as we last published it. */
  own: u32;
  /** 1 when the other side runs beside us and must see entries before the index that covers them. */
  shared: u32;
  reserved: u32;

  open(
    base: usize,
    entries: u32,
    producer: u32,
    consumer: u32,
    flags: u32,
    descriptors: u32,
    shared: bool,
  ): void {
    this.producer = base + producer;
    this.consumer = base + consumer;
    this.flags = base + flags;
    this.descriptors = base + descriptors;
    this.mask = entries - 1;
    this.own = 0;
    this.shared = shared ? 1 : 0;
  }

  /** As consumer: entries ready to take. */
  @inline available(): u32 {
    return load<u32>(this.producer) - this.own;
  }

  /** As producer: room for entries. */
  @inline room(): u32 {
    return this.mask + 1 - (this.own - load<u32>(this.consumer));
  }

  @inline publishProducer(): void {
    if (this.shared != 0) atomic.store<u32>(this.producer, this.own);
    else store<u32>(this.producer, this.own);
  }

  @inline publishConsumer(): void {
    if (this.shared != 0) atomic.store<u32>(this.consumer, this.own);
    else store<u32>(this.consumer, this.own);
  }

  /** Address of descriptor `index` (free running) of an rx or tx ring. */
  @inline descriptor(index: u32): usize {
    return this.descriptors + <usize>(index & this.mask) * DESCRIPTOR_SIZE;
  }

  /** Address of entry `index` (free running) of a fill or completion ring. */
  @inline entry(index: u32): usize {
    return this.descriptors + <usize>(index & this.mask) * ADDRESS_ENTRY_SIZE;
  }

  @inline write(index: u32, address: u32, length: u32, options: u32): void {
    const at = this.descriptor(index);
    store<u64>(at, address);
    store<u32>(at, length, DESCRIPTOR_LENGTH);
    store<u32>(at, options, DESCRIPTOR_OPTIONS);
  }

  @inline needsWakeup(): bool {
    return (load<u32>(this.flags) & RING_NEED_WAKEUP) != 0;
  }
}

if (offsetof<Ring>() != RING_RECORD_SIZE) ERROR("Ring drifted from layout.ts");
