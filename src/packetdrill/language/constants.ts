/** Names that scripts use for numbers, with Linux's values, whatever the stack under test is. */
import { errnoConstants } from "./constants-errno";
import { ancillaryConstants, ioConstants } from "./constants-io";
import { socketConstants } from "./constants-socket";
import { tcpConstants } from "./constants-tcp";

/** Every known name; errno numbers are positive. */
export const constants: ReadonlyMap<string, number> = new Map(
  [
    { NULL: 0 },
    socketConstants,
    tcpConstants,
    ioConstants,
    ancillaryConstants,
    errnoConstants,
  ].flatMap((table) => Object.entries(table)),
);

const errnoNames: ReadonlyMap<number, string> = new Map(
  Object.entries(errnoConstants)
    .reverse()
    .map(([name, number]) => [number, name]),
);

/** The name of an errno of either sign: `"EINVAL"` for 22; undefined when there is none. */
export function errnoName(errno: number): string | undefined {
  return errnoNames.get(Math.abs(errno));
}

/** The positive number of an errno's name. */
export function errnoNumber(name: string): number | undefined {
  return errnoConstants[name];
}
