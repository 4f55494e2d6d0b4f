/** RFC 6582's `recover`: SND.MAX when loss was last seen. */
import { Connection } from "./connection";

/**
 * Says whether all that was sent before the last loss was seen is acknowledged. `recover` may be
 * gigabytes ago, so only what it says while it lies in flight counts.
 */
export function isRecovered(connection: Connection): bool {
  return connection.recover - connection.sendUna > connection.sendMax - connection.sendUna;
}
