/**
 * Watches a simulation and keeps what its plots are made of, in bounded memory: attach it before the
 * run, ask for `data()` after it.
 */
import { parseFrame } from "../../packet/parse";
import { TCP_ACK, TCP_SYN, type Packet, type TcpHeader } from "../../packet/types";
import { readStatistics } from "../../pdpix/statistics";
import { formatIpv4 } from "../../wasm/address";
import type { ConnectionView } from "../../wasm/connections";
import type { Stack } from "../../wasm/stack";
import type { Host } from "../host";
import type { LinkOptions } from "../network/options";
import type { Simulation } from "../simulation";
import type { FrameEvent } from "../trace";
import { type DirectionData, DirectionRecorder } from "./direction-recorder";
import { type EndpointData, EndpointRecorder } from "./endpoint-recorder";
import { PacketLog, type PacketHop } from "./packet-log";

export interface RecorderOptions {
  /** Points kept of each series; 2,000 by default, 8 at least. */
  readonly pointsMax?: number | undefined;
  /** Points of all series together in `data()`; 250,000 by default. */
  readonly pointsTotalMax?: number | undefined;
  /** Packets kept from the start and from the end; 40 and 160 by default. */
  readonly packetsFirst?: number | undefined;
  readonly packetsLast?: number | undefined;
}

/** One end of a connection. */
export interface EndData extends EndpointData {
  readonly host: string;
  /** `10.0.0.1:80`. */
  readonly address: string;
  /** TCP segments sent, empty ones included. */
  readonly segments: number;
  /** Bytes of data sent, each counted once. */
  readonly bytes: number;
}

/** The end that opened it first; the other is missing when its host never answered. */
export interface ConnectionData {
  readonly ends: readonly EndData[];
  readonly startedMs: number;
}

export interface HostData {
  readonly name: string;
  readonly address: string;
  readonly boots: number;
  readonly device: {
    readonly sent: number;
    readonly received: number;
    readonly overflowed: number;
  };
  /** The stack's counters that are not 0, of the last boot. */
  readonly counters: Readonly<Record<string, number>>;
}

export interface LinkData {
  readonly name: string;
  readonly a: string;
  readonly b: string;
  readonly options: LinkOptions;
}

export interface Recording {
  readonly durationMs: number;
  readonly hosts: readonly HostData[];
  readonly links: readonly LinkData[];
  readonly directions: readonly DirectionData[];
  readonly connections: readonly ConnectionData[];
  /** How many there were; more than are listed when there were very many. */
  readonly connectionsTotal: number;
  readonly packets: { readonly total: number; readonly hops: readonly PacketHop[] };
}

interface End {
  readonly host: Host;
  readonly address: string;
  readonly recorder: EndpointRecorder;
  /** Of the host when this end was made. */
  readonly boot: number;
  /** Number of the last look at its host that found the record. */
  seen: number;
  hasEnded: boolean;
}

interface Connection {
  readonly startedMs: number;
  readonly ends: End[];
}

const connectionsMax = 256;
const pointsMin = 32;
/** Series and lists that an end of a connection has. */
const seriesPerEnd = 15;

export class Recorder {
  readonly #sim: Simulation;
  readonly #pointsMax: number;
  readonly #pointsTotalMax: number;
  readonly #packets: PacketLog;
  readonly #directions = new Map<string, DirectionRecorder>();
  readonly #connections: Connection[] = [];
  /** The latest end of each `local remote` pair. */
  readonly #ends = new Map<string, End>();
  /** The latest connection of each pair of addresses and ports. */
  readonly #latest = new Map<string, Connection>();
  /** The latest stack of each host, which can be asked even when the host is down. */
  readonly #stacks = new Map<string, Stack>();
  #connectionsTotal = 0;
  #looks = 0;

  constructor(sim: Simulation, options: RecorderOptions = {}) {
    this.#sim = sim;
    this.#pointsMax = Math.max(8, options.pointsMax ?? 2000);
    this.#pointsTotalMax = options.pointsTotalMax ?? 250_000;
    this.#packets = new PacketLog(options.packetsFirst ?? 40, options.packetsLast ?? 160);
    sim.onFrame((event) => this.#frame(event));
    sim.onEvent((touched) => {
      for (const host of touched) this.#look(host);
    });
  }

  /** What has been recorded so far. */
  data(): Recording {
    const series = this.#ends.size * seriesPerEnd + this.#directions.size * 2 + 1;
    const points = Math.max(pointsMin, Math.floor(this.#pointsTotalMax / series));
    const pointsMax = Math.min(this.#pointsMax, points);
    return {
      durationMs: this.#sim.now,
      hosts: [...this.#sim.hosts.values()].map((host) => this.#hostData(host)),
      links: this.#sim.links.map(({ name, stationA, stationB, options }) => ({
        name,
        a: stationA.name,
        b: stationB.name,
        options,
      })),
      directions: [...this.#directions.values()].map((direction) => direction.data(pointsMax)),
      connections: this.#connections.map(({ ends, startedMs }) => ({
        startedMs,
        ends: ends.map(({ host, address, recorder }) => ({
          host: host.name,
          address,
          segments: recorder.segments,
          bytes: recorder.bytes,
          ...recorder.data(pointsMax),
        })),
      })),
      connectionsTotal: this.#connectionsTotal,
      packets: this.#packets.data(),
    };
  }

  #frame(event: FrameEvent): void {
    this.#direction(event.direction).add(event);
    this.#packets.add(event);
    const packet = parseFrame(event.frame, { checksums: event.what === "delivered" });
    if (packet.tcp !== undefined && packet.ip !== undefined) {
      this.#segment(event, packet, packet.tcp);
    }
  }

  #segment(event: FrameEvent, packet: Packet, tcp: TcpHeader): void {
    const { what, station, reason, timeNs } = event;
    const timeMs = timeNs / 1e6;
    const source = `${packet.ip?.source}:${tcp.sourcePort}`;
    const destination = `${packet.ip?.destination}:${tcp.destinationPort}`;
    const host = this.#sim.hosts.get(station);
    if (what === "sent") {
      const sender = host?.isUp === true && addressOf(host) === packet.ip?.source;
      if (sender) this.#endOfSegment(host, source, destination, tcp)?.send(timeMs, packet, tcp);
    } else if (what === "delivered") {
      const good = host !== undefined && packet.problems.length === 0;
      if (good) this.#ends.get(`${destination} ${source}`)?.recorder.receive(timeMs, tcp);
    } else if (what !== "queued") {
      const end = this.#ends.get(`${source} ${destination}`)?.recorder;
      if (what === "dropped") end?.lose(timeMs, packet, tcp, reason ?? "loss");
      else end?.touch(timeMs, packet, tcp, what);
    }
  }

  /** A SYN begins an end; segments of no connection, resets mostly, have none. */
  #endOfSegment(
    host: Host,
    local: string,
    remote: string,
    tcp: TcpHeader,
  ): EndpointRecorder | undefined {
    if ((tcp.flags & TCP_SYN) === 0) return this.#ends.get(`${local} ${remote}`)?.recorder;
    const opens = (tcp.flags & TCP_ACK) === 0;
    return this.#end(host, local, remote, tcp.sequence, opens)?.recorder;
  }

  /** The end of these addresses and this initial sequence number, made when it is new. */
  #end(host: Host, local: string, remote: string, iss: number, opens: boolean): End | undefined {
    const known = this.#ends.get(`${local} ${remote}`);
    if (known?.boot === host.boots && known.recorder.isOf(iss)) return known;
    this.#finish(known);
    const pair = local < remote ? `${local} ${remote}` : `${remote} ${local}`;
    const latest = this.#latest.get(pair);
    const joins = latest?.ends.length === 1 && latest.ends[0]?.address !== local;
    if (!joins && ++this.#connectionsTotal > connectionsMax) return undefined;
    const connection = joins ? latest : { startedMs: this.#sim.now, ends: [] };
    const recorder = new EndpointRecorder(iss, this.#pointsMax);
    const boot = host.boots;
    const end: End = { host, address: local, recorder, boot, seen: 0, hasEnded: false };
    if (opens) connection.ends.unshift(end);
    else connection.ends.push(end);
    this.#ends.set(`${local} ${remote}`, end);
    if (joins) return end;
    this.#latest.set(pair, connection);
    this.#connections.push(connection);
    return end;
  }

  /** Reads every record of a host whose stack ran; ends whose records are gone have ended. */
  #look(host: Host): void {
    const look = ++this.#looks;
    const timeMs = this.#sim.now;
    if (host.stack !== undefined) this.#stacks.set(host.name, host.stack);
    host.connections?.each((connection) => {
      if (connection.state === "LISTEN") return;
      const { local, remote } = addressesOf(connection);
      const opens = connection.state === "SYN-SENT";
      const end = this.#end(host, local, remote, connection.initialSend, opens);
      if (end === undefined) return;
      end.seen = look;
      end.recorder.look(timeMs, connection);
    });
    for (const end of this.#ends.values()) {
      if (end.host === host && end.seen !== look && end.seen !== 0) this.#finish(end);
    }
  }

  #hostData(host: Host): HostData {
    const { name, boots, device } = host;
    const stack = this.#stacks.get(name);
    const counters = stack === undefined ? [] : Object.entries(readStatistics(stack));
    return {
      name,
      address: `${addressOf(host)}/${device.options.prefix}`,
      boots,
      device: { sent: device.sent, received: device.received, overflowed: device.overflowed },
      counters: Object.fromEntries(counters.filter(([, value]) => value !== 0)),
    };
  }

  #finish(end: End | undefined): void {
    if (end === undefined || end.hasEnded) return;
    end.hasEnded = true;
    end.recorder.end(this.#sim.now);
  }

  #direction(name: string): DirectionRecorder {
    let direction = this.#directions.get(name);
    if (direction === undefined) {
      direction = new DirectionRecorder(name, this.#pointsMax);
      this.#directions.set(name, direction);
    }
    return direction;
  }
}

function addressOf(host: Host): string {
  return formatIpv4(host.device.options.address);
}

function addressesOf(connection: ConnectionView): { local: string; remote: string } {
  const { localAddress, localPort, remoteAddress, remotePort } = connection;
  return {
    local: `${formatIpv4(localAddress)}:${localPort}`,
    remote: `${formatIpv4(remoteAddress)}:${remotePort}`,
  };
}
