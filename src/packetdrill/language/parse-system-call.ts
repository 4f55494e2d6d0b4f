/** A system call event: `...0.5 read(3, ..., 1000) = -1 EAGAIN (try again)`. */
import { constants } from "./constants";
import { errnoConstants } from "./constants-errno";
import type { Lexer } from "./lexer";
import { parseArguments, parseExpression } from "./parse-expression";
import { parseSeconds } from "./parse-time";
import type { Expression, SystemCallAction, TimeSpec } from "./script";
import { unknownName } from "./suggest";

/** Names that a script may call; a target decides which of them it has. */
const systemCallNames: readonly string[] = [
  ...["socket", "bind", "listen", "accept", "accept4", "connect", "shutdown", "close"],
  ...["read", "readv", "recv", "recvfrom", "recvmsg"],
  ...["write", "writev", "send", "sendto", "sendmsg", "sendfile", "splice"],
  ...["poll", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait"],
  ...["fcntl", "ioctl", "getsockopt", "setsockopt", "getsockname", "getpeername"],
  ...["pipe", "open", "cap_set", "psp_rx_assoc", "psp_tx_assoc"],
  ...["push", "pushto", "pop", "wait"],
];

function parseNote(lexer: Lexer): string | undefined {
  if (!lexer.looksAt("(")) return undefined;
  return lexer.between("(", ")", "a note in parentheses").text.trim().replace(/\s+/g, " ");
}

function parseErrno(lexer: Lexer): string | undefined {
  const start = lexer.mark();
  const word = lexer.peekWord();
  // A call behind the result is an event that lacks its time: not for us to complain about.
  if (word === undefined || systemCallNames.includes(word)) return undefined;
  const name = lexer.word("the name of an errno");
  if (!Object.hasOwn(errnoConstants, name)) {
    lexer.fail(unknownName("errno", name, Object.keys(errnoConstants)), start);
  }
  return name;
}

function parseEndTime(lexer: Lexer, time: TimeSpec): number | undefined {
  const start = lexer.mark();
  if (!lexer.accept("...")) return undefined;
  lexer.accept("+");
  const endUs = parseSeconds(lexer);
  if (time.kind !== "absolute" && time.kind !== "relative") {
    return lexer.fail(
      "a blocking call begins at a given time, not at any time or in a range",
      start,
    );
  }
  if (endUs < time.us) lexer.fail("the blocking call ends before it begins", start);
  return endUs;
}

/** `= ECONNREFUSED`, as Demikernel writes it, is `= -1 ECONNREFUSED`. */
function isErrno(result: Expression): result is Expression & { kind: "name" } {
  return result.kind === "name" && Object.hasOwn(errnoConstants, result.name);
}

/** The call behind the event's time. */
export function parseSystemCall(lexer: Lexer, time: TimeSpec): SystemCallAction {
  const endTimeUs = parseEndTime(lexer, time);
  const start = lexer.mark();
  const name = lexer.word("a packet (< or >), a system call, a `command` or %{ code }%");
  if (!systemCallNames.includes(name)) {
    const hint = constants.has(name) ? [] : systemCallNames;
    lexer.fail(unknownName("system call", name, hint), start);
  }
  const call: { -readonly [Key in keyof SystemCallAction]: SystemCallAction[Key] } = {
    kind: "systemCall",
    name,
    arguments: parseArguments(lexer),
  };
  if (endTimeUs !== undefined) call.endTimeUs = endTimeUs;
  lexer.expect("=", "and the result of the call, e.g. = 0");
  const result = parseExpression(lexer);
  if (isErrno(result)) {
    call.result = { kind: "integer", value: -1 };
    call.errno = result.name;
  } else {
    if (result.kind !== "ellipsis") call.result = result;
    const errno = parseErrno(lexer);
    if (errno !== undefined) call.errno = errno;
  }
  const note = parseNote(lexer);
  if (note !== undefined) call.note = note;
  return call;
}
