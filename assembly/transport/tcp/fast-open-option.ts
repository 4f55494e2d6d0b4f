/** Fast Open as sockets are told of it, and what it lets them do before the handshake has ended. */
import {
  ERRNO_EINVAL,
  ERRNO_EISCONN,
  ERRNO_ENOPROTOOPT,
  ERRNO_EOPNOTSUPP,
  FAST_OPEN_CLIENT,
  SOCKET_OPTION_FAST_OPEN,
  SOCKET_OPTION_FAST_OPEN_CONNECT,
  SOCKET_OPTION_FAST_OPEN_NO_COOKIE,
  SOCKET_OPTION_FAST_OPEN_ROOM,
  SOMAXCONN,
} from "../../layout";
import { CLOSED, Connection, LISTEN, SYN_RECEIVED, SYN_SENT } from "./connection";
import { endDeferral, synRoom } from "./fast-open-client";
import { FAST_CONNECT, FAST_DEFERRED, FAST_NO_COOKIE, FAST_UNCONFIRMED } from "./record";
import { allowsFastOpen } from "./settings";

export function setFastOpen(connection: Connection, option: u32, value: i32): i32 {
  const state = connection.state;
  if (option == SOCKET_OPTION_FAST_OPEN) {
    if (state != CLOSED && state != LISTEN) return -ERRNO_EISCONN;
    if (value < 0) return -ERRNO_EINVAL;
    // As Linux does with a backlog above somaxconn.
    connection.fastOpenBytes = <u16>min<i32>(value, SOMAXCONN);
    return 0;
  }
  if (option == SOCKET_OPTION_FAST_OPEN_NO_COOKIE) {
    if (state != CLOSED && state != LISTEN) return -ERRNO_EISCONN;
    setBit(connection, FAST_NO_COOKIE, value);
    return 0;
  }
  if (!allowsFastOpen(FAST_OPEN_CLIENT)) return -ERRNO_EOPNOTSUPP;
  if (connection.isFast(FAST_DEFERRED) && value == 0) {
    // No data will come: the SYN shall leave without.
    endDeferral(connection);
    return 0;
  }
  if (state != CLOSED) return -ERRNO_EISCONN;
  setBit(connection, FAST_CONNECT, value);
  return 0;
}

function setBit(connection: Connection, bit: u16, value: i32): void {
  if (value != 0) connection.fastOpen |= bit;
  else connection.fastOpen &= ~bit;
}

export function getFastOpen(connection: Connection, option: u32): i32 {
  switch (option) {
    case SOCKET_OPTION_FAST_OPEN:
      return connection.state <= LISTEN ? connection.fastOpenBytes : 0;
    case SOCKET_OPTION_FAST_OPEN_CONNECT:
      return connection.isFast(FAST_CONNECT) ? 1 : 0;
    case SOCKET_OPTION_FAST_OPEN_NO_COOKIE:
      return connection.isFast(FAST_NO_COOKIE) ? 1 : 0;
    case SOCKET_OPTION_FAST_OPEN_ROOM:
      return synRoom(connection);
  }
  return -ERRNO_ENOPROTOOPT;
}

/** Says whether there may be pushes and pops although the handshake has not ended. */
export function isOpenEarly(connection: Connection): bool {
  const state = connection.state;
  if (state != SYN_SENT && state != SYN_RECEIVED) return false;
  return connection.isFast(FAST_CONNECT | FAST_UNCONFIRMED);
}
