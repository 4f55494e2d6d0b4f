/** The pool of connection records. */
import { CONNECTION_SIZE, COUNTER_TCP_TIME_WAIT_RECYCLED } from "../../layout";
import { count } from "../../counters";
import { carve } from "../../memory/region";
import { TIMER_TCP, TIMER_TCP_ACK } from "../../time/expire";
import { forgetTimer, Timer } from "../../time/wheel";
import { Connection } from "./connection";
import { takeDefaults } from "./defaults";
import { CLOSED } from "./record";
import { recycleTimeWait } from "./time-wait";

let records: usize = 0;
let recordCount: u32 = 0;
let openCount: u32 = 0;
let freeFirst: usize = 0;

export function openConnections(limit: u32): void {
  recordCount = limit;
  openCount = 0;
  records = carve(limit * CONNECTION_SIZE, 64);
  freeFirst = 0;
  for (let index = <i32>limit - 1; index >= 0; index--) {
    const connection = changetype<Connection>(records + <usize>index * CONNECTION_SIZE);
    connection.hashNext = freeFirst;
    freeFirst = changetype<usize>(connection);
  }
}

/** The pool, for observers: `connectionsTotal` records of CONNECTION_SIZE bytes. */
export function connectionRecords(): usize {
  return records;
}

export function connectionsOpen(): u32 {
  return openCount;
}

export function connectionsTotal(): u32 {
  return recordCount;
}

/** The record at `index` of the pool, in use or not; free ones are CLOSED and have no queue. */
export function connectionAt(index: u32): Connection {
  return changetype<Connection>(records + <usize>index * CONNECTION_SIZE);
}

export function connectionOfTimer(timer: Timer): Connection {
  return changetype<Connection>(changetype<usize>(timer) - offsetof<Connection>("timerNext"));
}

export function connectionOfAckTimer(timer: Timer): Connection {
  return changetype<Connection>(changetype<usize>(timer) - offsetof<Connection>("ackTimerNext"));
}

/**
 * Takes a record with the configured defaults. When all are in use the oldest in TIME_WAIT gives
 * way (RFC 1337's hazards are smaller than refusing service); null when there is none.
 */
export function takeConnection(): Connection | null {
  if (freeFirst == 0) {
    if (!recycleTimeWait()) return null;
    count(COUNTER_TCP_TIME_WAIT_RECYCLED);
  }
  const connection = changetype<Connection>(freeFirst);
  freeFirst = connection.hashNext;
  openCount++;
  memory.fill(changetype<usize>(connection), 0, CONNECTION_SIZE);
  connection.localMapped = 0xffff0000;
  connection.remoteMapped = 0xffff0000;
  connection.timer.kind = TIMER_TCP;
  connection.ackTimer.kind = TIMER_TCP_ACK;
  takeDefaults(connection);
  return connection;
}

/** Gives a record back; the caller has emptied its queues and taken it out of every list. */
export function returnConnection(connection: Connection): void {
  forgetTimer(connection.timer);
  forgetTimer(connection.ackTimer);
  connection.state = CLOSED;
  connection.queue = null;
  connection.hashNext = freeFirst;
  freeFirst = changetype<usize>(connection);
  openCount--;
}
