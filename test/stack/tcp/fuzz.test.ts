/**
 * Random segments near the edges of live connections, mixed with calls and time. Nothing traps, a
 * connection that nobody attacks keeps working, and afterwards every pool is whole.
 */
import { test } from "bun:test";
import { SOCKET_OPTION_LINGER } from "../../../assembly/layout";
import { peerAddress } from "../packets";
import { Lab } from "./lab";
import { Peer } from "./peer";
import { randomness } from "./randomness";
import { option } from "./segments";

const flagSets = [
  "A",
  "A",
  "A",
  "PA",
  "PA",
  "FA",
  "FPA",
  "S",
  "SA",
  "R",
  "RA",
  "F",
  "",
  "FS",
  "SRA",
  "FSRPAU",
];

class Attack {
  readonly lab: Lab;
  readonly random: () => number;
  readonly listener: number;
  readonly peers: Peer[];
  readonly descriptors: number[] = [];
  readonly accepts: number[] = [];
  readonly connects = new Map<number, number>();
  /** The numbers each peer's next segments start from. */
  readonly next = new Map<Peer, { seq: number; ack: number }>();

  constructor(random: () => number) {
    this.random = random;
    this.lab = new Lab(
      {
        connections: 12,
        queues: 24,
        frames: this.pick(192, 1024),
        ringEntries: this.pick(16, 64),
        receiveBufferBytes: this.pick(4096, 65_536, 1 << 20),
        noDelay: this.pick(true, false),
        pacing: this.pick(true, false),
        congestionControl: this.pick("cubic", "newreno"),
      },
      { chainMax: this.pick(1, 4, 16), checksum: this.pick(true, false) },
    );
    this.listener = this.lab.listen(80, 4);
    this.peers = [1, 2, 3, 4].map((port) => new Peer(this.lab, { port }));
  }

  pick<T>(...choices: readonly T[]): T {
    return choices[Math.floor(this.random() * choices.length)] as T;
  }

  step(): void {
    const chance = this.random();
    if (chance < 0.55) this.segment();
    else if (chance < 0.65) this.lab.advance(this.pick(1, 45, 210, 1000, 65_000), 50);
    else if (chance < 0.75) this.collect();
    else this.call();
  }

  /** Learns where each connection stands from what the stack sends. */
  collect(): void {
    for (const peer of this.peers) {
      for (const { flags, seq, ack, length } of peer.take()) {
        const end = seq + length + (flags.includes("S") || flags.includes("F") ? 1 : 0);
        this.next.set(peer, { seq: ack || 1, ack: end });
      }
    }
    for (const token of this.accepts.splice(0)) {
      if (!this.lab.isDone(token)) this.accepts.push(token);
      else this.descriptors.push(this.lab.result(token).accepted);
    }
    this.lab.pending = [];
  }

  segment(): void {
    const peer = this.pick(...this.peers);
    const { seq, ack } = this.next.get(peer) ?? { seq: 0, ack: 1 };
    const near = () => this.pick(0, 0, 0, 0, 1, -1, 100, -100, 4096, 65_535, 1e6, -1e6, 2 ** 31);
    peer.inject(this.pick(...flagSets), {
      seq: seq + near(),
      ack: ack + near(),
      length: this.pick(0, 0, 1, 100, 1460),
      window: this.pick(0, 1, 500, 65_535, 65_535),
      options: this.pick<readonly number[]>(
        [],
        option.mss(536),
        option.scale(3),
        [2, 4],
        [3, 0],
        [...option.mss(536), ...option.sackPermitted],
        this.blocks(peer, ack),
        this.blocks(peer, ack),
      ),
    });
  }

  /** Of what the stack has sent, or near it: sound, empty, the wrong way round. */
  blocks(peer: Peer, ack: number): readonly number[] {
    const near = () => this.pick(-700, -1, 0, 1, 10, 536, 1072, 1460, 5000, 1e6, 2 ** 31);
    const edges = this.pick([0], [0, 1], [0, 1, 2, 3]).flatMap(() => {
      const left = ack - this.pick(0, 0, 536, 1072, 3000) + near();
      return [left, left + near()];
    });
    return option.sack(edges.map((edge) => (peer.hostInitial + edge) >>> 0));
  }

  call(): void {
    const { exports } = this.lab.host.stack;
    const qd = this.pick(...this.descriptors, this.listener);
    switch (this.pick("accept", "push", "push", "pop", "close", "shutdown", "connect", "linger")) {
      case "accept": {
        const token = exports.accept(this.listener);
        if (token > 0) this.accepts.push(token);
        break;
      }
      case "push": {
        const array = exports.allocate(1 + Math.floor(this.random() * 5000));
        if (array !== 0 && exports.push(qd, array) < 0) exports.release(array);
        break;
      }
      case "pop":
        exports.pop(qd, this.pick(0, 1, 700));
        break;
      case "close":
        if (qd !== this.listener) this.close(qd);
        break;
      case "shutdown":
        exports.shutdownWrite(qd);
        break;
      case "linger":
        if (qd !== this.listener) exports.setOption(qd, SOCKET_OPTION_LINGER, 0);
        break;
      case "connect":
        this.connect();
    }
  }

  close(qd: number): void {
    this.lab.close(qd);
    this.descriptors.splice(this.descriptors.indexOf(qd), 1);
  }

  /** Connects to a peer's port, whose segments then go to the stack's chosen one. */
  connect(): void {
    const { exports } = this.lab.host.stack;
    const qd = exports.socket(1);
    if (qd < 0) return;
    this.lab.own(qd);
    this.descriptors.push(qd);
    const peer = this.pick(...this.peers);
    this.lab.host.stack.writeAddress(0);
    peer.hostPort = this.pick(80, 2000 + peer.port);
    if (exports.bind(qd, 2000 + peer.port) === 0) peer.hostPort = 2000 + peer.port;
    this.lab.connect(qd, peerAddress, peer.port);
  }
}

for (let seed = 1; seed <= 40; seed++) {
  test(`random segments, calls and time, seed ${seed}`, () => {
    const attack = new Attack(randomness(seed));
    for (let step = 0; step < 600; step++) attack.step();
    attack.collect();
    // Whoever was not attacked is served once the pools have had time to recover.
    for (const qd of [...attack.descriptors]) {
      attack.lab.host.stack.exports.setOption(qd, SOCKET_OPTION_LINGER, 0);
      attack.close(qd);
    }
    // Half an hour is what fifteen timeouts of two minutes take.
    for (let minute = 0; minute < 35; minute++) {
      attack.lab.advance(60_000, 1000);
      attack.collect();
    }
    const good = new Peer(attack.lab, { port: 9999 });
    good.open();
    good.inject("PA", { seq: 1, ack: 1, length: 100 });
    attack.lab.advance(50);
    good.expect({ flags: "A", ack: 101 });
  });
}
