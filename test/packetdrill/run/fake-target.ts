/** A system under test that sends what the test has it send, and remembers what it was sent. */
import type { BegunCall, Call, SentPacket, Target } from "../../../src/packetdrill/targets/target";

export class FakeTarget implements Target {
  readonly name = "a fake";
  readonly toleranceUs = 4000;
  readonly settleUs = 1000;
  readonly injected: Uint8Array[] = [];
  readonly calls: Call[] = [];
  /** Answers to injected packets, in their order. */
  answer: (packet: Uint8Array, index: number) => readonly Uint8Array[] = () => [];
  #nowUs = 0;
  readonly #sent: SentPacket[] = [];

  async command(): Promise<void> {}
  async start(): Promise<void> {}

  nowUs(): number {
    return this.#nowUs;
  }

  inject(packet: Uint8Array): void {
    const answers = this.answer(packet, this.injected.length);
    this.injected.push(packet);
    for (const bytes of answers) this.#sent.push({ timeUs: this.#nowUs, bytes });
  }

  async nextPacket(untilUs: number): Promise<SentPacket | undefined> {
    if (this.#sent.length === 0) this.#nowUs = Math.max(this.#nowUs, untilUs);
    return this.#sent.shift();
  }

  async sleepUntil(us: number): Promise<void> {
    this.#nowUs = Math.max(this.#nowUs, us);
  }

  async waitFor(): Promise<void> {}

  begin(call: Call): BegunCall {
    this.calls.push(call);
    return { result: { value: 0, errno: 0 }, returnedUs: this.#nowUs };
  }

  snapshot(): ReadonlyMap<string, number> {
    return new Map();
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
