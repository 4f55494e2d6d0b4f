/**
 * Finding a connection by its 4-tuple: buckets of chains under a secret hash, at most half a record
 * a bucket, so a lookup touches one bucket and one record whatever the number of connections.
 */
import { sipHash24 } from "../../crypto/siphash";
import { bucketCount } from "../../memory/plan";
import { carve } from "../../memory/region";
import { KEY_CONNECTIONS, secretKey } from "../../random";
import { Connection, HASHED, LISTEN } from "./connection";

const LISTENER_BUCKETS: u32 = 256;

let buckets: usize = 0;
let shift: u64 = 0;
let listeners: usize = 0;
// Multipliers of the strongly universal hash over four 32-bit words (Dietzfelbinger, 1996).
let key0: u64 = 0;
let key1: u64 = 0;
let key2: u64 = 0;
let key3: u64 = 0;

export function openTable(connections: u32): void {
  const size = bucketCount(connections);
  buckets = carve(size * 4, 64);
  listeners = carve(LISTENER_BUCKETS * 4, 64);
  shift = 64 - ctz(size);
  key0 = multiplier(0);
  key1 = multiplier(1);
  key2 = multiplier(2);
  key3 = multiplier(3);
}

function multiplier(index: u64): u64 {
  return sipHash24(secretKey(KEY_CONNECTIONS), secretKey(KEY_CONNECTIONS + 1), index, 0) | 1;
}

function bucketOf(local: u32, remote: u32, ports: u32): u32 {
  const sum = key0 + key1 * <u64>remote + key2 * <u64>ports + key3 * <u64>local;
  return <u32>(sum >> shift);
}

/** The connection of this 4-tuple, or null. `ports` as the received header holds them. */
export function findConnection(local: u32, remote: u32, ports: u32): Connection | null {
  let at = load<usize>(buckets + ((<usize>bucketOf(local, remote, ports)) << 2));
  while (at != 0) {
    const connection = changetype<Connection>(at);
    if (connection.ports == ports && connection.remote == remote && connection.local == local) {
      return connection;
    }
    at = connection.hashNext;
  }
  return null;
}

export function addConnection(connection: Connection): void {
  const bucket = bucketOf(connection.local, connection.remote, connection.ports);
  const head = buckets + ((<usize>bucket) << 2);
  connection.bucket = bucket;
  connection.hashNext = load<usize>(head);
  store<usize>(head, changetype<usize>(connection));
  connection.set(HASHED);
}

export function removeConnection(connection: Connection): void {
  if (!connection.has(HASHED)) return;
  connection.clear(HASHED);
  const table = connection.state == LISTEN ? listeners : buckets;
  unchain(table + ((<usize>connection.bucket) << 2), connection);
}

function unchain(head: usize, connection: Connection): void {
  let at = load<usize>(head);
  if (at == changetype<usize>(connection)) {
    store<usize>(head, connection.hashNext);
    return;
  }
  while (at != 0) {
    const previous = changetype<Connection>(at);
    at = previous.hashNext;
    if (at == changetype<usize>(connection)) {
      previous.hashNext = connection.hashNext;
      return;
    }
  }
}

/** The listener for a segment to `local`: one bound to that address, else one bound to any. */
export function findListener(local: u32, port: u32): Connection | null {
  let any: Connection | null = null;
  let at = load<usize>(listeners + ((<usize>listenerBucket(port)) << 2));
  while (at != 0) {
    const listener = changetype<Connection>(at);
    if (listener.ports >> 16 == port) {
      if (listener.local == local) return listener;
      if (listener.local == 0) any = listener;
    }
    at = listener.hashNext;
  }
  return any;
}

/** Adds a record in LISTEN; its port is the high half of `ports`, network order. */
export function addListener(listener: Connection): void {
  const bucket = listenerBucket(listener.ports >> 16);
  const head = listeners + ((<usize>bucket) << 2);
  listener.bucket = bucket;
  listener.hashNext = load<usize>(head);
  store<usize>(head, changetype<usize>(listener));
  listener.set(HASHED);
}

/** Neighbouring ports, which servers often use, differ in the high byte of the network order. */
function listenerBucket(port: u32): u32 {
  return (port ^ (port >> 8)) & (LISTENER_BUCKETS - 1);
}
