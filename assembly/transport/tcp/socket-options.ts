/** Options of stream sockets that say how segments are made and when they leave. */
import {
  ERRNO_EINVAL,
  ERRNO_EISCONN,
  ERRNO_ENOPROTOOPT,
  SOCKET_OPTION_CORK,
  SOCKET_OPTION_MSS_MAX,
  SOCKET_OPTION_QUICK_ACK,
  SOCKET_OPTION_TIME_TO_LIVE,
  SOCKET_OPTION_TYPE_OF_SERVICE,
  SOCKET_OPTION_UNSENT_MAX,
} from "../../layout";
import { CLOSED, Connection, CORKED, ESTABLISHED, LISTEN } from "./connection";
import { setCork } from "./holding";
import { takeWaitingPushes } from "./push";
import { hurryAcknowledgments, isHurrying, slackenAcknowledgments } from "./quick-ack";
import { makeReady } from "./ready";

/** As Linux: 88 bytes, and 32,767, the largest window without scaling that old stacks could count. */
const MSS_MAX_LEAST: i32 = 88;
const MSS_MAX_MOST: i32 = 32_767;
/** RFC 3168 section 5: the two bits below belong to ECN. */
const SERVICE_MASK: i32 = 0xfc;

/** 0, or a negative errno. */
export function setSocketOption(connection: Connection, option: u32, value: i32): i32 {
  switch (option) {
    case SOCKET_OPTION_CORK:
      setCork(connection, value != 0);
      sendHeld(connection);
      return 0;
    case SOCKET_OPTION_QUICK_ACK:
      if (value != 0) hurryAcknowledgments(connection);
      else slackenAcknowledgments(connection);
      return 0;
    case SOCKET_OPTION_MSS_MAX:
      if (connection.state != CLOSED && connection.state != LISTEN) return -ERRNO_EISCONN;
      if (value != 0 && (value < MSS_MAX_LEAST || value > MSS_MAX_MOST)) return -ERRNO_EINVAL;
      connection.mssMax = <u16>value;
      return 0;
    case SOCKET_OPTION_UNSENT_MAX:
      if (value < 0) return -ERRNO_EINVAL;
      connection.unsentMax = value;
      if (connection.state >= ESTABLISHED) takeWaitingPushes(connection);
      return 0;
    case SOCKET_OPTION_TYPE_OF_SERVICE:
      if (value < 0 || value > 255) return -ERRNO_EINVAL;
      connection.typeOfService = <u8>(value & SERVICE_MASK);
      return 0;
    case SOCKET_OPTION_TIME_TO_LIVE:
      if (value < 1 || value > 255) return -ERRNO_EINVAL;
      connection.timeToLive = <u8>value;
      return 0;
  }
  return -ERRNO_ENOPROTOOPT;
}

/** The option's value, or a negative errno. */
export function getSocketOption(connection: Connection, option: u32): i32 {
  switch (option) {
    case SOCKET_OPTION_CORK:
      return connection.chose(CORKED) ? 1 : 0;
    case SOCKET_OPTION_QUICK_ACK:
      return isHurrying(connection) ? 1 : 0;
    case SOCKET_OPTION_MSS_MAX:
      return connection.mssMax;
    case SOCKET_OPTION_UNSENT_MAX:
      return connection.unsentMax;
    case SOCKET_OPTION_TYPE_OF_SERVICE:
      return connection.typeOfService;
    case SOCKET_OPTION_TIME_TO_LIVE:
      return connection.timeToLive;
  }
  return -ERRNO_ENOPROTOOPT;
}

/** What was held back may go now. */
export function sendHeld(connection: Connection): void {
  if (connection.state >= ESTABLISHED) makeReady(connection);
}
