/** Short ways to read one event, or to be refused. */
import { parseScript } from "../../../src/packetdrill/language/parse";
import type {
  Expression,
  PacketAction,
  SystemCallAction,
} from "../../../src/packetdrill/language/script";
import { ScriptError } from "../../../src/packetdrill/language/script-error";

/** The packet of the only event, `text` standing behind its time. */
export function packet(text: string): PacketAction {
  const action = parseScript(`0 ${text}`).events[0]?.action;
  if (action?.kind !== "packet") throw new Error(`no packet: ${text}`);
  return action;
}

export function systemCall(text: string): SystemCallAction {
  const action = parseScript(`0 ${text}`).events[0]?.action;
  if (action?.kind !== "systemCall") throw new Error(`no system call: ${text}`);
  return action;
}

/** The argument of a call that has only one. */
export function argument(text: string): Expression {
  return systemCall(`close(${text}) = 0`).arguments[0] as Expression;
}

/** The whole message of the error that reading `text` ends with. */
export function refusal(text: string): string {
  try {
    parseScript(text, { file: "a.pkt" });
  } catch (error) {
    if (error instanceof ScriptError) return error.message;
    throw error;
  }
  return "read without error";
}
