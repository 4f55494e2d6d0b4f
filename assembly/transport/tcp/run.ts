/**
 * A run: bytes without a hole beyond RCV.NXT, one chain of frames. Its first frame has its `sequence`
 * and `total`, its last frame in `detail`, and in `mark` whether the peer's FIN follows its last byte
 * and when something last arrived for it. A FIN that came without data is a run of no bytes.
 */
import { Frame } from "../../memory/frame";
import { laterOf } from "./sequence";

/** Bit of `mark`: the peer's FIN follows. */
export const RUN_FIN: u32 = 1;

/** `mark` of what arrives as the connection's `arrival`-th, with or without a FIN. */
export function runMark(arrival: u32, fin: bool): u32 {
  return (arrival << 1) | (fin ? RUN_FIN : 0);
}

/** The arrival that renewed a run last; comparable as sequence numbers are. */
export function arrivalOf(run: Frame): u32 {
  return run.mark & ~RUN_FIN;
}

/** Gives a run what another one's mark tells: its FIN, and its arrival if that is later. */
export function takeMark(run: Frame, mark: u32): void {
  run.mark = laterOf(arrivalOf(run), mark & ~RUN_FIN) | ((run.mark | mark) & RUN_FIN);
}
