/**
 * Bugs to be planted into the stack: one for each kind of invariant. They are edits of the sources,
 * made while a module for a test is compiled; the released stack knows nothing of them.
 */
import type { Invariant } from "../../../src/sim/invariants/invariant-error";

export interface Edit {
  /** From assembly/. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface PlantedBug {
  /** What must notice it. */
  readonly invariant: Invariant;
  readonly about: string;
  readonly edits: readonly Edit[];
}

export const plantedBugs: readonly PlantedBug[] = [
  {
    invariant: "delivery",
    about: "a copied segment has a wrong byte under a right checksum",
    edits: [
      {
        file: "transport/tcp/transmit.ts",
        find: "    copyOut(<Frame>payloadFrame, payloadSkip, payload, bytes);",
        replace: `    copyOut(<Frame>payloadFrame, payloadSkip, payload, bytes);
    store<u8>(payload, load<u8>(payload) ^ 1);`,
      },
    ],
  },
  {
    invariant: "sequence",
    about: "an acknowledgment moves SND.UNA one too far",
    edits: [
      {
        file: "transport/tcp/acknowledge.ts",
        find: "  connection.sendUna = segmentAcknowledgment;",
        replace:
          "  const more = segmentAcknowledgment - connection.sendUna > 1000 ? 1 : 0;\n  connection.sendUna = segmentAcknowledgment + more;",
      },
    ],
  },
  {
    invariant: "window-retracted",
    about: "a full receive queue takes back what was announced",
    edits: [
      {
        file: "transport/tcp/window.ts",
        find: "  return window >> scale;",
        replace: "  return connection.receiveQueued > 3000 ? 0 : window >> scale;",
      },
    ],
  },
  {
    invariant: "window-size",
    about: "more is announced than the buffer holds",
    edits: [
      {
        file: "transport/tcp/window.ts",
        find: "  const wanted = connection.receiveNext + free;",
        replace: "  const wanted = connection.receiveNext + free + connection.receiveBuffer;",
      },
    ],
  },
  {
    invariant: "congestion-window",
    about: "the congestion window is ignored",
    edits: [
      {
        file: "transport/tcp/output.ts",
        find: "  const window = min(connection.sendWindow, congestionWindow(connection));",
        replace: "  const window = connection.sendWindow;",
      },
    ],
  },
  {
    invariant: "send-window",
    about: "the peer's window is ignored",
    edits: [
      {
        file: "transport/tcp/output.ts",
        find: "  const window = min(connection.sendWindow, congestionWindow(connection));",
        replace: "  const window = connection.cwnd;",
      },
    ],
  },
  {
    invariant: "state",
    about: "a close after the peer's FIN leads to FIN-WAIT-1",
    edits: [
      {
        file: "transport/tcp/close.ts",
        find: "  if (connection.state == CLOSE_WAIT) connection.state = LAST_ACK;\n  else if",
        replace: "  if",
      },
    ],
  },
  {
    invariant: "timer",
    about: "the timer is armed for the first data only",
    edits: [
      {
        file: "transport/tcp/tail-probe.ts",
        find: "  if (mayProbe(connection)) {\n    armProbe(connection);\n    return;\n  }\n  if (connection.timer.armed",
        replace:
          "  if (connection.sendUna != connection.initialSend + 1) return;\n  if (connection.timer.armed",
      },
    ],
  },
  {
    invariant: "frame",
    about: "TCP checksums are off by one",
    edits: [
      {
        file: "transport/tcp/header.ts",
        find: "  store<u32>(tcp, ~fold(sum) & 0xffff, Tcp.CHECKSUM);",
        replace: "  store<u32>(tcp, ~fold(sum + 1) & 0xffff, Tcp.CHECKSUM);",
      },
    ],
  },
  {
    invariant: "segment-size",
    about: "segments are one byte larger than the MSS",
    edits: [
      {
        file: "transport/tcp/output.ts",
        find: "    if (limit <= mss || connection.chose(RECORDS)) return mss;",
        replace: "    if (limit <= mss || connection.chose(RECORDS)) return mss + 1;",
      },
    ],
  },
  {
    invariant: "after-fin",
    about: "the FIN goes with the next segment instead of the last",
    edits: [
      {
        file: "transport/tcp/output.ts",
        find: "  return connection.has(FIN_QUEUED) && connection.sendNext + bytes == connection.sendEnd;",
        replace:
          "  return connection.has(FIN_QUEUED) && connection.sendNext != connection.sendEnd + 1;",
      },
    ],
  },
  {
    invariant: "acknowledgment",
    about: "what has not come yet is acknowledged",
    edits: [
      {
        file: "transport/tcp/header.ts",
        find: "  const acknowledgmentWord = bswap<u32>(connection.receiveNext);",
        replace: `  const early: u32 = connection.receiveQueued > 2000 ? 1 : 0;
  const acknowledgmentWord = bswap<u32>(connection.receiveNext + early);`,
      },
    ],
  },
  {
    invariant: "storm",
    about: "every acknowledgment is acknowledged",
    edits: [
      {
        file: "transport/tcp/receive.ts",
        find: "  acknowledgePredicted(connection);\n",
        replace:
          "  acknowledgePredicted(connection);\n  connection.set(8);\n  if (!connection.has(16)) makeReady(connection);\n",
      },
      {
        file: "transport/tcp/receive.ts",
        find: 'import { deliver } from "./deliver";',
        replace: 'import { deliver } from "./deliver";\nimport { makeReady } from "./ready";',
      },
    ],
  },
  {
    invariant: "pools",
    about: "some acknowledged frames are forgotten",
    edits: [
      {
        file: "transport/tcp/acknowledge.ts",
        find: "    releaseFrame(frame);",
        replace: "    if ((frame.sequence & 1) == 0) releaseFrame(frame);",
      },
    ],
  },
  {
    invariant: "liveness",
    about: "a window that opens again is neither announced nor probed",
    edits: [
      {
        file: "transport/tcp/window.ts",
        find: "  if (connection.state < ESTABLISHED || connection.has(FIN_RECEIVED)) return;",
        replace: "  if (connection.state >= 0) return;",
      },
      {
        file: "transport/tcp/output.ts",
        find: "    if (connection.sendNext == connection.sendUna && !waits) armPersist(connection);\n",
        replace: "    // Nothing probes.\n",
      },
    ],
  },
];
