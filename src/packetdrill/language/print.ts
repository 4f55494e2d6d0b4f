/** Events in the language's own words. */
import { printExpression } from "./print-expression";
import { printPacket } from "./print-packet";
import type { Action, Event, Script, SystemCallAction, TimeSpec } from "./script";

/** `0.2`, with as many of six decimals as the microseconds need. */
export function printSeconds(us: number): string {
  const sign = us < 0 ? "-" : "";
  const whole = Math.trunc(Math.abs(us) / 1e6);
  const fraction = `${Math.abs(us) % 1e6}`.padStart(6, "0").replace(/0+$/, "");
  return `${sign}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

export function printTime(time: TimeSpec): string {
  switch (time.kind) {
    case "any":
      return "*";
    case "absolute":
      return printSeconds(time.us);
    case "relative":
      return `+${printSeconds(time.us)}`;
    case "absoluteRange":
      return `${printSeconds(time.startUs)}~${printSeconds(time.endUs)}`;
    case "relativeRange":
      return `+${printSeconds(time.startUs)}~+${printSeconds(time.endUs)}`;
  }
}

/** Without the time at which a blocking call returns: that stands next to the event's own. */
export function printSystemCall(call: SystemCallAction): string {
  const list = call.arguments.map(printExpression).join(", ");
  const result = call.result === undefined ? "..." : printExpression(call.result);
  const errno = call.errno === undefined ? "" : ` ${call.errno}`;
  const note = call.note === undefined ? "" : ` (${call.note})`;
  return `${call.name}(${list}) = ${result}${errno}${note}`;
}

function printAction(action: Action): string {
  switch (action.kind) {
    case "packet":
      return printPacket(action);
    case "systemCall":
      return printSystemCall(action);
    case "command":
      return `\`${action.command}\``;
    case "code":
      return `%{${action.code}}%`;
  }
}

/** One event, time first. */
export function printEvent({ time, action }: Pick<Event, "time" | "action">): string {
  const end = action.kind === "systemCall" ? action.endTimeUs : undefined;
  const until = end === undefined ? "" : `...${printSeconds(end)}`;
  return `${printTime(time)}${until} ${printAction(action)}`;
}

/** The whole script in packetdrill's dialect, symbols replaced by what they stand for. */
export function printScript(script: Script): string {
  const options = script.options
    .filter(({ name }) => name !== "define" && name !== "dialect")
    .map(({ name, value }) => `--${name}${value === undefined ? "" : `=${printValue(value)}`}`);
  const commands = [script.initCommand, script.cleanupCommand].map((command) =>
    command === undefined ? [] : [printAction(command)],
  );
  const [init = [], cleanup = []] = commands;
  return `${[...options, ...init, ...script.events.map(printEvent), ...cleanup].join("\n")}\n`;
}

function printValue(value: string): string {
  return /^[^\s"`]+$/.test(value) ? value : `"${value}"`;
}
