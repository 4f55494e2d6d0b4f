/** What a call returned beside what the script says it returns: the difference in words. */
import { constants, errnoName, errnoNumber } from "../language/constants";
import { printExpression } from "../language/print-expression";
import type { Expression, SystemCallAction } from "../language/script";
import type { Call, CallResult, SocketAddress } from "../targets/target";
import { addressOf } from "./call-arguments";
import {
  ArgumentError,
  bytesOf,
  integerOf,
  isEllipsis,
  member,
  numberOf,
  readInt32,
  structureOf,
} from "./values";

/** The script's descriptor for the system's, where it has one. */
type ScriptFd = (fd: number) => number;

/** What came back, as the result of a call is written. */
function returned({ value, errno }: Pick<CallResult, "value" | "errno">): string {
  return errno === 0 ? `${value}` : `-1 ${errnoName(errno) ?? errno}`;
}

function expectedText(action: SystemCallAction): string {
  const value = action.result === undefined ? "..." : printExpression(action.result);
  return action.errno === undefined ? value : `${value} ${action.errno}`;
}

function compareReturn(
  action: SystemCallAction,
  call: Call,
  result: CallResult,
  scriptFd: ScriptFd,
): string | undefined {
  if (action.errno !== undefined) {
    if (result.errno === errnoNumber(action.errno)) return undefined;
    return `${action.name} returned ${returned(result)}, should return -1 ${action.errno}`;
  }
  if (action.result === undefined) return undefined;
  const wanted = numberOf(action.result);
  if (wanted < 0 && result.errno !== 0) return undefined;
  const isDescriptor = makesDescriptor(call);
  const value = isDescriptor && result.errno === 0 ? scriptFd(result.value) : result.value;
  if (result.errno === 0 && value === wanted) return undefined;
  const text = returned({ value, errno: result.errno });
  return `${action.name} returned ${text}, should return ${expectedText(action)}`;
}

export function makesDescriptor(call: Call): boolean {
  return ["socket", "accept", "epoll_create", "open"].includes(call.name);
}

function compareNumber(what: string, wanted: Expression, actual: number | bigint | undefined) {
  if (actual === undefined) return `${what} has no value`;
  const expected = integerOf(wanted);
  if (BigInt(expected) === BigInt(actual)) return undefined;
  const [only] = wanted.kind === "list" ? wanted.items : [wanted];
  return `${what} is ${actual}, should be ${printExpression(only ?? wanted)}`;
}

/** Event bits in their names. */
function bitNames(prefix: string, bits: number): string {
  const names: string[] = [];
  let left = bits;
  for (const [name, bit] of constants) {
    if (!name.startsWith(prefix) || bit <= 0 || (bit & (bit - 1)) !== 0 || (left & bit) === 0) {
      continue;
    }
    names.push(name);
    left &= ~bit;
  }
  if (left !== 0) names.push(`0x${(left >>> 0).toString(16)}`);
  return names.length === 0 ? "0" : names.join("|");
}

function compareBits(what: string, prefix: string, wanted: Expression, actual: number) {
  const bits = numberOf(wanted) >>> 0;
  if (bits === actual >>> 0) return undefined;
  return `${what} is ${bitNames(prefix, actual)}, should be ${bitNames(prefix, bits)}`;
}

function compareAddress(wanted: Expression | undefined, actual: SocketAddress | undefined) {
  const structure = structureOf(wanted);
  if (structure === undefined || actual === undefined) return undefined;
  const expected = addressOf(wanted, actual);
  if (expected.family !== actual.family) {
    return `the address is of family ${actual.family}, should be ${expected.family}`;
  }
  if (expected.address !== actual.address) {
    return `the address is ${actual.address}, should be ${expected.address}`;
  }
  if (expected.port === actual.port) return undefined;
  return `the port is ${actual.port}, should be ${expected.port}`;
}

function quote(bytes: Uint8Array): string {
  return JSON.stringify(String.fromCharCode(...bytes.subarray(0, 64)));
}

/** Bytes read beside a string of the script; what is not a string is not looked at. */
function compareData(wanted: Expression | undefined, actual: Uint8Array) {
  if (wanted?.kind !== "string") return undefined;
  const expected = bytesOf(wanted.value);
  const length = wanted.open ? Math.min(expected.length, actual.length) : actual.length;
  if (!wanted.open && expected.length !== actual.length) {
    return `the data are ${quote(actual)}, should be ${quote(expected)}`;
  }
  for (let index = 0; index < length; index++) {
    if (expected[index] !== actual[index]) {
      return `the data are ${quote(actual)}, should be ${quote(expected)}: byte ${index} differs`;
    }
  }
  return undefined;
}

function first(...differences: readonly (() => string | undefined)[]): string | undefined {
  for (const difference of differences) {
    const found = difference();
    if (found !== undefined) return found;
  }
  return undefined;
}

function compareReceived(action: SystemCallAction, call: Call, result: CallResult) {
  if (call.name !== "receive" || result.errno !== 0) return undefined;
  const data = result.data ?? new Uint8Array(0);
  const [, second, , , address] = action.arguments;
  switch (call.form) {
    case "recvmsg":
      return compareMessage(second, result, data);
    case "readv":
      return compareVectors(second, data);
    case "recvfrom":
      return first(
        () => compareData(second, data),
        () => compareAddress(address, result.address),
      );
    default:
      return compareData(second, data);
  }
}

/** Each buffer is filled before the next. */
function compareVectors(list: Expression | undefined, data: Uint8Array): string | undefined {
  if (list?.kind !== "list") return undefined;
  let at = 0;
  for (const item of list.items) {
    const fields = structureOf(item)?.fields ?? [];
    const size = numberOf(fields[1]?.value);
    const difference = compareData(fields[0]?.value, data.subarray(at, at + size));
    if (difference !== undefined) return difference;
    at += size;
  }
  return undefined;
}

function compareMessage(expression: Expression | undefined, result: CallResult, data: Uint8Array) {
  const fields = structureOf(expression)?.fields ?? [];
  const flags = member(fields, "msg_flags");
  const control = member(fields, "msg_control");
  return first(
    () => compareVectors(member(fields, "msg_iov"), data),
    () => compareAddress(member(fields, "msg_name"), result.address),
    () =>
      flags === undefined
        ? undefined
        : compareBits("msg_flags", "MSG_", flags, result.messageFlags ?? 0),
    () => compareControl(control, result),
  );
}

function compareControl(expression: Expression | undefined, result: CallResult) {
  if (expression?.kind !== "list") return undefined;
  const messages = result.control ?? [];
  if (messages.length !== expression.items.length) {
    return `${messages.length} control messages came, should be ${expression.items.length}`;
  }
  for (const [index, item] of expression.items.entries()) {
    const fields = structureOf(item)?.fields ?? [];
    const actual = messages[index];
    const level = member(fields, "cmsg_level");
    const type = member(fields, "cmsg_type");
    const data = member(fields, "cmsg_data");
    const difference = first(
      () => (level === undefined ? undefined : compareNumber("cmsg_level", level, actual?.level)),
      () => (type === undefined ? undefined : compareNumber("cmsg_type", type, actual?.type)),
      () =>
        data === undefined || data.kind === "structure"
          ? compareErrorMessage(data, actual?.data)
          : compareNumber("cmsg_data", data, readInt32(actual?.data ?? new Uint8Array(0))),
    );
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/** struct sock_extended_err, where the script names one. */
function compareErrorMessage(expression: Expression | undefined, data: Uint8Array | undefined) {
  const structure = structureOf(expression);
  if (structure === undefined || structure.type !== "sock_extended_err" || data === undefined) {
    return undefined;
  }
  if (data.length < 16) return `cmsg_data has ${data.length} bytes, too few for an error`;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const values: Readonly<Record<string, number>> = {
    ee_errno: view.getUint32(0, true),
    ee_origin: view.getUint8(4),
    ee_type: view.getUint8(5),
    ee_code: view.getUint8(6),
    ee_info: view.getUint32(8, true),
    ee_data: view.getUint32(12, true),
  };
  for (const { name, value } of structure.fields) {
    if (name === undefined || isEllipsis(value) || values[name] === undefined) continue;
    const difference = compareNumber(name, value, values[name]);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/** The value that getsockopt and ioctl store. */
function compareOutput(wanted: Expression | undefined, name: string, result: CallResult) {
  const output = result.output ?? new Uint8Array(0);
  if (result.errno !== 0 || wanted === undefined || isEllipsis(wanted)) return undefined;
  const structure = structureOf(wanted);
  if (structure?.type === "linger") {
    const onoff = member(structure.fields, "onoff", "l_onoff");
    const seconds = member(structure.fields, "linger", "l_linger");
    return first(
      () => (onoff === undefined ? undefined : compareNumber("onoff", onoff, readInt32(output))),
      () =>
        seconds === undefined ? undefined : compareNumber("linger", seconds, readInt32(output, 4)),
    );
  }
  if (structure !== undefined) {
    throw new ArgumentError(`a ${structure.type} cannot be compared here; use %{ }%`);
  }
  if (wanted.kind === "string") return compareData(wanted, output);
  if (wanted.kind === "list" && isEllipsis(wanted.items[0])) return undefined;
  const value = readInt32(output);
  const isUnsigned = value !== undefined && numberOf(wanted) > 0x7fffffff;
  return compareNumber(`the value of ${name}`, wanted, isUnsigned ? value >>> 0 : value);
}

function comparePoll(action: SystemCallAction, result: CallResult): string | undefined {
  const [list] = action.arguments;
  if (list?.kind !== "list") return undefined;
  for (const [index, item] of list.items.entries()) {
    const fields = structureOf(item)?.fields ?? [];
    const wanted = member(fields, "revents");
    if (wanted === undefined) continue;
    const what = `revents of descriptor ${numberOf(member(fields, "fd"))}`;
    const difference = compareBits(what, "POLL", wanted, result.revents?.[index] ?? 0);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function compareEpoll(action: SystemCallAction, result: CallResult, scriptFd: ScriptFd) {
  const [, expression] = action.arguments;
  const items = expression?.kind === "list" ? expression.items : [expression];
  for (const [index, item] of items.entries()) {
    const fields = structureOf(item)?.fields;
    const actual = result.epollEvents?.[index];
    if (fields === undefined || actual === undefined) continue;
    const events = member(fields, "events");
    const fd = member(fields, "fd");
    const data = member(fields, "ptr", "u32", "u64");
    const difference = first(
      () =>
        events === undefined ? undefined : compareBits("events", "EPOLL", events, actual.events),
      () => (fd === undefined ? undefined : compareNumber("fd", fd, scriptFd(Number(actual.data)))),
      () => (data === undefined ? undefined : compareNumber("data", data, actual.data)),
    );
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/** The first difference, in words; undefined when the call returned what the script says. */
export function compareResult(
  action: SystemCallAction,
  call: Call,
  result: CallResult,
  scriptFd: ScriptFd,
): string | undefined {
  const difference = compareReturn(action, call, result, scriptFd);
  if (difference !== undefined) return difference;
  switch (call.name) {
    case "accept":
      return result.errno === 0 ? compareAddress(action.arguments[1], result.address) : undefined;
    case "receive":
      return compareReceived(action, call, result);
    case "getsockopt":
      return compareOutput(action.arguments[3], "the option", result);
    case "ioctl":
      return compareOutput(action.arguments[2], "the request", result);
    case "poll":
      return comparePoll(action, result);
    case "epoll_wait":
      return compareEpoll(action, result, scriptFd);
    default:
      return undefined;
  }
}
