/**
 * The benchmark's harness for one end alone: the host joins the rings of two modules and calls a turn
 * of each in its loop. Not part of the released module.
 */
import { COMPLETION_OPCODE, COMPLETION_QD, OPCODE_POP } from "./layout";
import { BUDGET, nextCompletion, popCopy, pushCopy } from "./bench";
import { flush, poll } from "./index";
import { popStart } from "./queue/operations";

/** Pushes the first array of an endless echo. */
export function benchEchoStart(qd: u32, bytes: u32): void {
  pushCopy(qd, bytes);
  flush();
}

/** One turn of an end that answers each array with one of `bytes`; returns the arrays popped. */
export function benchEchoTurn(now: f64, bytes: u32): u32 {
  poll(now, BUDGET);
  let popped: u32 = 0;
  let at = nextCompletion();
  while (at != 0) {
    if (load<u32>(at, COMPLETION_OPCODE) == OPCODE_POP) {
      const qd = load<u32>(at, COMPLETION_QD);
      popCopy(at);
      pushCopy(qd, bytes);
      popStart(qd, 0);
      popped++;
    }
    at = nextCompletion();
  }
  flush();
  return popped;
}

/** One turn of an end that keeps up to eight pushes of `bytes` pending; `pending` of them were. */
export function benchSendTurn(now: f64, qd: u32, bytes: u32, pending: u32): u32 {
  poll(now, BUDGET);
  let at = nextCompletion();
  while (at != 0) {
    pending--;
    at = nextCompletion();
  }
  while (pending < 8 && pushCopy(qd, bytes)) pending++;
  flush();
  return pending;
}

/** One turn of an end that takes all there is; returns the bytes taken. */
export function benchReceiveTurn(now: f64): u32 {
  poll(now, BUDGET);
  let received: u32 = 0;
  let at = nextCompletion();
  while (at != 0) {
    if (load<u32>(at, COMPLETION_OPCODE) == OPCODE_POP) {
      const qd = load<u32>(at, COMPLETION_QD);
      received += popCopy(at);
      popStart(qd, 0);
    }
    at = nextCompletion();
  }
  flush();
  return received;
}
