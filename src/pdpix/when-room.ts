/** Operations that must happen although tokens are short just now. */
import { ERRNO_EAGAIN } from "../../assembly/layout";
import { DemibunError } from "../errors";
import type { EventLoop } from "../runtime/event-loop";
import type { CompletionListener } from "./completions";
import type { Demikernel } from "./demikernel";
import type { QueueDescriptor } from "./queue-result";

const RETRY_MS = 2;

/** Runs `start`; again every few milliseconds for as long as it finds no token (EAGAIN). */
export function whenRoom(
  eventLoop: EventLoop,
  start: () => void,
  refused: (error: DemibunError) => void,
): void {
  try {
    start();
  } catch (error) {
    if (!(error instanceof DemibunError)) throw error;
    if (error.errno !== ERRNO_EAGAIN) refused(error);
    else eventLoop.after(RETRY_MS, () => whenRoom(eventLoop, start, refused));
  }
}

const nobody: CompletionListener = { completed: () => {} };

/** Closes a descriptor whose end nobody waits for. */
export function closeQuietly(demikernel: Demikernel, qd: QueueDescriptor): void {
  const start = () => demikernel.onCompleted(demikernel.close(qd), nobody);
  whenRoom(demikernel.eventLoop, start, () => {});
}
