/** What must hold in a host's connection records after every event, and from one event to the next. */
import {
  FAST_DEFERRED,
  FAST_UNCONFIRMED,
  FIN_QUEUED,
  FIN_RECEIVED,
  FRTO_SENT,
  KEEP_ALIVE,
  ORPHAN,
  PERSIST,
  READY,
  RECOVERY,
} from "../../../assembly/transport/tcp/record";
import type { ConnectionView, TcpState } from "../../wasm/connections";
import type { Host } from "../host";
import { connectionName, type Invariant, InvariantError } from "./invariant-error";
import { finAcknowledgedStates, finReceivedStates, mayFollow } from "./transitions";

/** What a record held after the last event in which its host ran. */
interface Snapshot {
  identity: string;
  state: TcpState;
  sendUna: number;
  sendMax: number;
  cwnd: number;
  receiveNext: number;
  receiveEdge: number;
}

/** RFC 3042 and RFC 6582 let a little more leave than the window says. */
const ALLOWANCE_SEGMENTS = 3;

/** left − right in sequence space. */
function distance(left: number, right: number): number {
  return (left - right) | 0;
}

/**
 * Numbers sent and not acknowledged. With Fast Open a SYN may still wait for its data, and a SYN-ACK be
 * unacknowledged although SND.UNA lies behind it.
 */
function outstandingNumbers({ sendUna, sendMax, fastOpen }: ConnectionView): number {
  if ((fastOpen & FAST_DEFERRED) !== 0) return 0;
  const outstanding = distance(sendMax, sendUna);
  return (fastOpen & FAST_UNCONFIRMED) === 0 ? outstanding : outstanding + 1;
}

export class ConnectionChecks {
  /** How often each state followed another, `ESTABLISHED>CLOSE-WAIT`. */
  readonly transitions = new Map<string, number>();
  readonly #snapshots = new Map<Host, Map<number, Snapshot>>();
  readonly #boots = new Map<Host, number>();
  readonly #nowNs: () => number;
  #host: Host | undefined;

  constructor(nowNs: () => number) {
    this.#nowNs = nowNs;
  }

  check(host: Host): void {
    const { connections } = host;
    if (connections === undefined) return;
    if (this.#boots.get(host) !== host.boots) {
      this.#boots.set(host, host.boots);
      this.#snapshots.set(host, new Map());
    }
    const snapshots = this.#snapshots.get(host) as Map<number, Snapshot>;
    const seen = new Set<number>();
    this.#host = host;
    connections.each((connection) => {
      seen.add(connection.at);
      this.#checkRecord(connection, snapshots);
    });
    for (const [at, { state }] of snapshots) {
      if (seen.has(at)) continue;
      this.#count(state, "CLOSED");
      snapshots.delete(at);
    }
  }

  #checkRecord(connection: ConnectionView, snapshots: Map<number, Snapshot>): void {
    const { at, state } = connection;
    if (state === "LISTEN") return;
    const identity = `${connection.initialSend}/${connection.remotePort}/${connection.localPort}`;
    const before = snapshots.get(at);
    const known = before?.identity === identity ? before : undefined;
    if (before !== undefined && known === undefined) this.#count(before.state, "CLOSED");
    this.#checkSending(connection, known);
    this.#checkScoreboard(connection);
    this.#checkReceiving(connection, known);
    this.#checkState(connection, known);
    this.#checkTimer(connection);
    const { sendUna, sendMax, cwnd, receiveNext, receiveEdge } = connection;
    if (known === undefined) {
      snapshots.set(at, {
        identity,
        state,
        sendUna,
        sendMax,
        cwnd,
        receiveNext,
        receiveEdge,
      });
      return;
    }
    known.state = state;
    known.sendUna = sendUna;
    known.sendMax = sendMax;
    known.cwnd = cwnd;
    known.receiveNext = receiveNext;
    known.receiveEdge = receiveEdge;
  }

  #checkSending(connection: ConnectionView, before: Snapshot | undefined): void {
    const { sendUna, sendNext, sendMax, sendEnd, state } = connection;
    const fin = connection.has(FIN_QUEUED) ? 1 : 0;
    // Before the handshake is done SND.NXT still counts the SYN and nothing is queued.
    const isOpen = state !== "SYN-SENT" && state !== "SYN-RECEIVED";
    const ordered =
      distance(sendNext, sendUna) >= 0 &&
      distance(sendMax, sendNext) >= 0 &&
      (!isOpen || distance(sendEnd + fin, sendMax) >= 0);
    if (!ordered) {
      this.#fail(connection, "sequence", () => {
        const numbers = [sendUna, sendNext, sendMax, sendEnd + fin];
        const [una, next, max, end] = numbers.map((value) =>
          distance(value, connection.initialSend),
        );
        return `SND.UNA ${una} ≤ SND.NXT ${next} ≤ SND.MAX ${max} ≤ queued ${end} does not hold`;
      });
    }
    if (before === undefined || !isOpen) return;
    if (distance(sendUna, before.sendUna) < 0 || distance(sendMax, before.sendMax) < 0) {
      this.#fail(connection, "sequence", () => {
        const una = distance(sendUna, before.sendUna);
        return `SND.UNA moved by ${una}, SND.MAX by ${distance(sendMax, before.sendMax)}`;
      });
    }
    if (sendMax !== before.sendMax) this.#checkNewData(connection, before);
  }

  /** New data has left in this event. */
  #checkNewData(connection: ConnectionView, before: Snapshot): void {
    const { sendUna, sendMax, sendWindow, cwnd, mss } = connection;
    const fin = connection.has(FIN_QUEUED) && sendMax === (connection.sendEnd + 1) >>> 0 ? 1 : 0;
    const flight = distance(sendMax, sendUna) - fin;
    const probe = connection.has(PERSIST) ? 1 : 0;
    // A probe that was accepted may be followed at once: SND.WND counts from what was acknowledged.
    if (flight > sendWindow + probe) {
      const detail = `${flight} bytes are in flight, the peer's window is ${sendWindow}`;
      this.#fail(connection, "send-window", () => detail);
    }
    // What has arrived beyond a gap is not in flight any more (RFC 6675 section 5).
    const room = Math.max(cwnd, before.cwnd) + connection.sackedBytes;
    const allowed = room + ALLOWANCE_SEGMENTS * mss;
    const more = distance(sendMax, before.sendMax);
    // A tail probe sends one segment whatever cwnd says (RFC 8985 section 7.3), F-RTO two (RFC 5682).
    const asks = (connection.undoState & FRTO_SENT) !== 0 && more <= 2 * mss;
    const isProbe = asks || (sendUna === before.sendUna && more <= mss);
    if (!connection.has(RECOVERY) && !isProbe && flight > allowed) {
      const detail = `${flight} bytes are in flight, cwnd is ${cwnd} (before: ${before.cwnd})`;
      this.#fail(connection, "congestion-window", () => detail);
    }
  }

  #checkScoreboard(connection: ConnectionView): void {
    const { sackedBytes, lostBytes } = connection;
    if (sackedBytes === 0 && lostBytes === 0) return;
    const { sacked, lost } = connection.marked;
    if (sacked === sackedBytes && lost === lostBytes) return;
    this.#fail(connection, "scoreboard", () => {
      return `${sackedBytes} bytes count as arrived and ${lostBytes} as lost, marked are ${sacked} and ${lost}`;
    });
  }

  #checkReceiving(connection: ConnectionView, before: Snapshot | undefined): void {
    const { receiveNext, receiveEdge, receiveBuffer, receiveQueued, state } = connection;
    if (state === "SYN-SENT") return;
    const window = distance(receiveEdge, receiveNext);
    if (window < 0) {
      const detail = `RCV.NXT is ${-window} beyond the window's right edge`;
      this.#fail(connection, "sequence", () => detail);
    }
    if (!connection.has(ORPHAN) && (window > receiveBuffer || receiveQueued > receiveBuffer)) {
      this.#fail(connection, "window-size", () => {
        return `window ${window} and ${receiveQueued} queued bytes, the buffer has ${receiveBuffer}`;
      });
    }
    if (before === undefined || before.state === "SYN-SENT") return;
    if (distance(receiveNext, before.receiveNext) < 0) {
      const detail = `RCV.NXT went back by ${distance(before.receiveNext, receiveNext)}`;
      this.#fail(connection, "sequence", () => detail);
    }
    if (distance(receiveEdge, before.receiveEdge) < 0) {
      const detail = `the right edge went back by ${distance(before.receiveEdge, receiveEdge)}`;
      this.#fail(connection, "window-retracted", () => detail);
    }
  }

  #checkState(connection: ConnectionView, before: Snapshot | undefined): void {
    const { state, sendUna, sendEnd } = connection;
    if (before !== undefined && before.state !== state) {
      this.#count(before.state, state);
      if (!mayFollow(before.state, state)) {
        this.#fail(connection, "state", () => `${before.state} became ${state}`);
      }
    } else if (before === undefined) {
      this.#count("CLOSED", state);
    }
    if (finReceivedStates.has(state) !== connection.has(FIN_RECEIVED)) {
      const had = connection.has(FIN_RECEIVED) ? "after" : "without";
      this.#fail(connection, "state", () => `${state} ${had} the peer's FIN`);
    }
    const acknowledged = connection.has(FIN_QUEUED) && sendUna === (sendEnd + 1) >>> 0;
    if (finAcknowledgedStates.has(state) && !acknowledged) {
      this.#fail(connection, "state", () => `${state} without our FIN acknowledged`);
    }
  }

  #checkTimer(connection: ConnectionView): void {
    const { state, timerArmed } = connection;
    // What waits for room in the device has its turn before any timer.
    if (connection.has(READY)) return;
    const outstanding = outstandingNumbers(connection);
    if (outstanding > 0 && !timerArmed) {
      const detail = `${outstanding} sequence numbers are outstanding and no timer runs`;
      this.#fail(connection, "timer", () => detail);
    }
    const resting = connection.has(PERSIST) || connection.has(KEEP_ALIVE);
    const other = state === "TIME-WAIT" || state === "FIN-WAIT-2" || resting;
    if (outstanding === 0 && timerArmed && !other) {
      this.#fail(connection, "timer", () => "a timer runs and nothing is outstanding");
    }
    if (state === "TIME-WAIT" && !timerArmed) {
      this.#fail(connection, "timer", () => "TIME-WAIT would never end");
    }
  }

  #count(from: string, to: string): void {
    const name = `${from}>${to}`;
    this.transitions.set(name, (this.transitions.get(name) ?? 0) + 1);
  }

  #fail(connection: ConnectionView, invariant: Invariant, detail: () => string): never {
    const { name } = this.#host as Host;
    const where = `${connectionName(connection)} (${connection.state})`;
    throw new InvariantError(invariant, name, this.#nowNs(), `${where}: ${detail()}`);
  }
}
