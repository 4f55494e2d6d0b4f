/** What a capture of one run must not show: the rules that any two TCPs keep on any wire. */
import type { Link } from "../../src/lab/link";
import { lostMac } from "./faulty";
import { type Packet, readPcap, type TcpSegment } from "./pcap";

const START_TIMEOUT_MS = 10_000;
const BUFFER_MIB = 64;
/** The kernel hands over a block of packets when it is full, or a second after its first one. */
const BLOCK_MS = 1200;
const lost = [...lostMac].map((byte) => byte.toString(16).padStart(2, "0")).join(":");

/** tcpdump gives up root's rights at once, which a user namespace forbids; dumpcap does not. */
function command(interfaceName: string, snapBytes: number): string[] {
  const common = ["-i", interfaceName, "-w", "-", "-s", `${snapBytes}`];
  return process.getuid?.() === 0
    ? ["tcpdump", ...common, "-B", `${BUFFER_MIB * 1024}`, "-Z", "root", "-n", "ip"]
    : ["dumpcap", ...common, "-B", `${BUFFER_MIB}`, "-P", "-q", "-f", "ip"];
}

export class Capture implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #file: Promise<Uint8Array>;
  #words = "";
  readonly #errors: Promise<void>;
  #listening!: () => void;

  private constructor(child: Bun.Subprocess<"ignore", "pipe", "pipe">, started: () => void) {
    this.#child = child;
    this.#listening = started;
    this.#file = new Response(child.stdout).bytes();
    this.#errors = this.#read();
  }

  /** Listens on the kernel's side and keeps `snapBytes` of every packet (0: all of it). */
  static async start(link: Link, snapBytes: number): Promise<Capture> {
    const child = Bun.spawn(link.kernelSide.command(...command(link.kernelInterface, snapBytes)), {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: 5 * 60_000,
      killSignal: "SIGKILL",
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error("no capture begins")), START_TIMEOUT_MS);
    child.exited.then(() => reject(new Error("the capture has ended")));
    const capture = new Capture(child, resolve);
    await promise.finally(() => clearTimeout(timer));
    return capture;
  }

  /** Ends the capture; the packets that were on their way are in it. */
  async stop(): Promise<Packet[]> {
    await Bun.sleep(BLOCK_MS);
    this.#child.kill("SIGINT");
    const file = await this.#file;
    await this.#errors;
    const counts = /(\d+) packets? dropped by kernel|received\/dropped .*: \d+\/(\d+)/;
    const [, ...found] = counts.exec(this.#words) ?? [];
    const dropped = found.map(Number).find((count) => count > 0) ?? 0;
    if (dropped > 0) throw new Error(`the capture lacks ${dropped} packets: it proves nothing`);
    return [...readPcap(file)].filter(({ destinationMac }) => destinationMac !== lost);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stderr) {
      this.#words += decoder.decode(chunk, { stream: true });
      if (/listening on|^File: /m.test(this.#words)) this.#listening();
    }
  }
}

/** One end of a connection as the capture has seen it so far. */
interface End {
  scale: number | undefined;
  /** Highest sequence number that the other end may send up to; undefined before the first ACK. */
  edge: number | undefined;
  hasFinished: boolean;
  synSequence: number | undefined;
}

interface Flow {
  readonly ends: Map<string, End>;
}

function newEnd(): End {
  return { scale: undefined, edge: undefined, hasFinished: false, synSequence: undefined };
}

function endOf(flow: Flow, name: string): End {
  const known = flow.ends.get(name);
  if (known !== undefined) return known;
  const end = newEnd();
  flow.ends.set(name, end);
  return end;
}

function describe({ number, source }: Packet, tcp: TcpSegment, what: string): string {
  const { sourcePort, destinationPort, flags, payloadBytes } = tcp;
  return `packet ${number} (${source}:${sourcePort} to port ${destinationPort}, ${flags}, ${payloadBytes} bytes): ${what}`;
}

/** Walks through all connections that begin within the capture and collects what `rule` finds. */
function* walk(
  packets: readonly Packet[],
  rule: (packet: Packet, tcp: TcpSegment, from: End, to: End) => string | undefined,
): Generator<string> {
  const flows = new Map<string, Flow>();
  for (const packet of packets) {
    const { tcp } = packet;
    if (tcp === undefined) continue;
    const source = `${packet.source}:${tcp.sourcePort}`;
    const destination = `${packet.destination}:${tcp.destinationPort}`;
    const key = [source, destination].sort().join(" ");
    // A SYN that is not the answer to another begins a connection.
    const known = flows.get(key);
    const opens = tcp.flags === "S" && known?.ends.get(source)?.synSequence !== tcp.sequence;
    if (opens || known === undefined) flows.set(key, { ends: new Map() });
    const flow = flows.get(key) as Flow;
    const [from, to] = [endOf(flow, source), endOf(flow, destination)];
    const found = rule(packet, tcp, from, to);
    if (found !== undefined) yield describe(packet, tcp, found);
    note(tcp, from, to);
  }
}

function note(tcp: TcpSegment, from: End, to: End): void {
  const isSyn = tcp.flags.includes("S");
  if (isSyn) {
    from.scale = tcp.scale;
    from.synSequence = tcp.sequence;
  }
  if (tcp.flags.includes("F")) from.hasFinished = true;
  if (!tcp.flags.includes("A") || tcp.flags.includes("R")) return;
  const isScaled = !isSyn && from.scale !== undefined && to.scale !== undefined;
  const edge = (tcp.acknowledgment + tcp.window * 2 ** (isScaled ? (from.scale ?? 0) : 0)) >>> 0;
  if (from.edge === undefined || ((edge - from.edge) | 0) > 0) from.edge = edge;
}

/** Segments with bytes beyond the window that their receiver had announced by then. */
export function beyondWindow(packets: readonly Packet[]): string[] {
  const found = walk(packets, (_, tcp, from, to) => {
    if (tcp.payloadBytes === 0 || to.edge === undefined) return undefined;
    if (from.synSequence === undefined || to.synSequence === undefined) return undefined;
    const beyond = (tcp.sequence + tcp.payloadBytes - to.edge) | 0;
    // RFC 9293 section 3.8.6.1: a probe of a closed window has one byte beyond it.
    const isProbe = tcp.payloadBytes === 1 && tcp.sequence === to.edge;
    return beyond > 0 && !isProbe ? `${beyond} bytes beyond the window` : undefined;
  });
  return [...found];
}

/**
 * Resets sent by `address` that RFC 9293 does not ask for: neither the answer to a SYN that nobody
 * listens for (section 3.5.2) nor to data for an end that has closed (section 3.6.1).
 */
export function strayResets(packets: readonly Packet[], address: string): string[] {
  const found = walk(packets, (packet, tcp, from, to) => {
    if (packet.source !== address || !tcp.flags.includes("R")) return undefined;
    const isRefusal =
      from.synSequence === undefined &&
      to.synSequence !== undefined &&
      tcp.sequence === 0 &&
      tcp.acknowledgment === (to.synSequence + 1) >>> 0;
    return isRefusal || from.hasFinished ? undefined : "a reset out of place";
  });
  return [...found];
}

/** Resets by `address`, wanted or not. */
export function resets(packets: readonly Packet[], address: string): number {
  return packets.filter(({ source, tcp }) => source === address && tcp?.flags.includes("R")).length;
}
