/** What new records have of the stack's configuration until their sockets say otherwise. */
import {
  CONTROL_OPEN,
  LINGER_OFF,
  OPEN_CONTROLLER,
  OPEN_ECN,
  OPEN_ECN_MODE,
  OPEN_KEEP_ALIVE_IDLE_MS,
  OPEN_KEEP_ALIVE_INTERVAL_MS,
  OPEN_KEEP_ALIVE_PROBES,
  OPEN_PACING,
  OPEN_RECEIVE_BUFFER,
  OPEN_SEND_BUFFER,
  OPEN_TCP_FLAGS,
  OPEN_UNSENT_MAX,
} from "../../layout";
import { Ipv4 } from "../../wire/ipv4";
import { Connection } from "./connection";
import { KEEP_ALIVE, NAGLE_OFF, NO_DELAY, PACED } from "./record";

export function takeDefaults(connection: Connection): void {
  connection.receiveBuffer = load<u32>(CONTROL_OPEN, OPEN_RECEIVE_BUFFER);
  connection.sendBuffer = load<u32>(CONTROL_OPEN, OPEN_SEND_BUFFER);
  connection.controller = load<u8>(CONTROL_OPEN, OPEN_CONTROLLER);
  connection.ecnMode = load<u8>(CONTROL_OPEN, OPEN_ECN) & (<u8>OPEN_ECN_MODE);
  if (load<u32>(CONTROL_OPEN, OPEN_PACING) != 0) connection.choose(PACED);
  connection.linger = LINGER_OFF;
  connection.unsentMax = load<u32>(CONTROL_OPEN, OPEN_UNSENT_MAX);
  connection.timeToLive = <u8>Ipv4.TIME_TO_LIVE;
  connection.keepAliveIdleMs = load<u32>(CONTROL_OPEN, OPEN_KEEP_ALIVE_IDLE_MS);
  connection.keepAliveIntervalMs = load<u32>(CONTROL_OPEN, OPEN_KEEP_ALIVE_INTERVAL_MS);
  connection.keepAliveProbes = load<u8>(CONTROL_OPEN, OPEN_KEEP_ALIVE_PROBES);
  const flags = load<u32>(CONTROL_OPEN, OPEN_TCP_FLAGS);
  if ((flags & 1) != 0) {
    connection.choose(NAGLE_OFF);
    connection.set(NO_DELAY);
  }
  if ((flags & 8) != 0) connection.set(KEEP_ALIVE);
}
