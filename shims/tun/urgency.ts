/** Scheduling for who measures times on a busy machine (sched(7)). */
import { dlopen, FFIType, type Pointer } from "bun:ffi";
import { checked, wordStruct } from "../libc";

const SCHED_RR = 2;
/** What the thread starts is scheduled as usual. */
const SCHED_RESET_ON_FORK = 0x40000000;
const LOWEST = 1;

const { symbols } = dlopen("libc.so.6", {
  sched_setscheduler: { args: [FFIType.i32, FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
});

/**
 * Lets the calling thread run whenever it is ready, before all ordinary ones, where this process may
 * ask for that (CAP_SYS_NICE); says whether it may. For threads that mostly wait.
 */
export function runAtOnce(): boolean {
  const parameter = wordStruct(LOWEST);
  const at = parameter.address as Pointer;
  return checked(symbols.sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, at)) >= 0;
}
