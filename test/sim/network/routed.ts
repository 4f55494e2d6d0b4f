/** Hosts that answer ARP, for the tests of what stands between hosts. */
import { frameArp } from "../../../src/packet/build";
import { parseFrame } from "../../../src/packet/parse";
import type { Packet } from "../../../src/packet/types";
import { Link } from "../../../src/sim/network/link";
import type { LinkOptions } from "../../../src/sim/network/options";
import { Random } from "../../../src/sim/random";
import { Scheduler } from "../../../src/sim/scheduler";
import type { Station } from "../../../src/sim/station";
import { Recorder, run } from "./recorder";

export class Host extends Recorder {
  readonly address: string;
  readonly mac: Uint8Array;
  /** ARP requests for its address. */
  asked = 0;

  constructor(name: string, scheduler: Scheduler, address: string, mac: Uint8Array) {
    super(name, scheduler);
    this.address = address;
    this.mac = mac;
  }

  /** Everything that came but ARP requests. */
  get packets(): Packet[] {
    return this.arrivals.map(({ frame }) => parseFrame(frame));
  }

  override receive(frame: Uint8Array): void {
    const forUs = this.mac.every((byte, index) => frame[index] === byte);
    if (!forUs && ((frame[0] as number) & 1) === 0) return;
    const { arp } = parseFrame(frame);
    if (arp?.operation !== 1) {
      super.receive(frame);
    } else if (arp.targetAddress === this.address) {
      this.asked++;
      const { senderMac: targetMac, senderAddress: targetAddress } = arp;
      const reply = { operation: 2, targetMac, targetAddress };
      this.send(
        frameArp(targetMac, { ...reply, senderMac: this.mac, senderAddress: this.address }),
      );
    }
  }
}

export class Network {
  readonly scheduler = new Scheduler();
  readonly links: Link[] = [];

  /** A host with a link to `station`, which is the link's b. */
  host(
    name: string,
    address: string,
    mac: Uint8Array,
    station: Station,
    options: LinkOptions = {},
  ): Host {
    const host = new Host(name, this.scheduler, address, mac);
    const context = { scheduler: this.scheduler, random: new Random(1) };
    this.links.push(new Link(context, host, station, options));
    return host;
  }

  run(): void {
    run(this.scheduler);
  }
}
