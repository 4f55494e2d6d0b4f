/** The words for a name that is not known. */
import { nearest } from "../../nearest";

/** `unknown system call “sokcet”: did you mean “socket”?` */
export function unknownName(what: string, name: string, known: Iterable<string>): string {
  const suggestion = nearest(name, known);
  const advice = suggestion === undefined ? "" : `: did you mean “${suggestion}”?`;
  return `unknown ${what} “${name}”${advice}`;
}
