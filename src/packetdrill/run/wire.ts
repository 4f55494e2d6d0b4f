/** Every packet that goes either way, kept for reports and captures. */
import type { PacketAction } from "../language/script";
import { printPacket } from "../language/print-packet";
import { printSeconds } from "../language/print";
import type { Target } from "../targets/target";
import { actionOf, type Sighting, sight } from "./actual";
import type { Flows } from "./flow";
import type { RecordedPacket } from "./report";

/** Packets that a report shows at most. */
const RECENT_MAX = 8;

/** What is shown of a packet when nothing says what to look at. */
const anything: PacketAction = {
  kind: "packet",
  direction: "outbound",
  outerHeaders: [],
  ip: {},
  body: { kind: "udp", length: 0 },
};

export class Wire {
  readonly packets: RecordedPacket[] = [];
  readonly #target: Target;
  readonly #flows: Flows;
  /** Where the packets begin that came since the last expected one. */
  #recent = 0;

  constructor(target: Target, flows: Flows) {
    this.#target = target;
    this.#flows = flows;
  }

  inject(bytes: Uint8Array, action: PacketAction): void {
    const timeUs = this.#target.nowUs();
    this.packets.push({ timeUs, direction: "inbound", bytes, text: printPacket(action) });
    this.#target.inject(bytes);
  }

  /** The next packet that was sent, the system's own housekeeping left out. */
  async next(untilUs: number): Promise<Sighting | undefined> {
    for (;;) {
      const sent = await this.#target.nextPacket(untilUs);
      if (sent === undefined) return undefined;
      const sighting = sight(sent, this.#flows);
      if (sighting !== undefined) return sighting;
    }
  }

  /** Records a packet once its numbers can be told in the script's. */
  note(sighting: Sighting): void {
    const showsPorts = sighting.flow !== this.#flows.current;
    const text = printPacket(actionOf(sighting, anything, showsPorts));
    const { timeUs, bytes } = sighting;
    this.packets.push({ timeUs, direction: "outbound", bytes, text });
  }

  /** What came until now has been accounted for. */
  forget(): void {
    this.#recent = this.packets.length;
  }

  /** The packet noted last. */
  lastLine(): string {
    const last = this.packets.at(-1);
    return last === undefined ? "" : `${printSeconds(last.timeUs)} ${last.text}`;
  }

  /** The packets since the last one that was as expected. */
  recentLines(): string[] {
    const recent = this.packets
      .slice(this.#recent)
      .sort((left, right) => left.timeUs - right.timeUs);
    if (recent.length === 0) return [];
    const shown = recent.slice(-RECENT_MAX);
    return [
      "packets since the last that was as expected:",
      ...(shown.length < recent.length ? [`  … ${recent.length - shown.length} more`] : []),
      ...shown.map(({ timeUs, text }) => `  ${printSeconds(timeUs)} ${text}`),
    ];
  }
}
