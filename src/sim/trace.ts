/** What happens to frames, told to whoever listens: the run's hash, captures, checks, reports. */
import type { Nanoseconds } from "./scheduler";

/** Why a frame went no further, in words that a capture shows. */
export type DropReason =
  | "loss"
  | "queue full"
  | "early drop"
  | "CoDel"
  | "link down"
  | "partition"
  | "too big"
  | "ring overflow"
  | "host down"
  | "rule"
  | "rate limit"
  | "no route"
  | "host unreachable"
  | "ttl exceeded"
  | "malformed"
  | "unknown station";

export interface FrameEvent {
  readonly timeNs: Nanoseconds;
  /**
   * `sent` by a station's device into its link; `queued` behind others; `dropped`; `duplicated`,
   * `corrupted`, `reordered`, `truncated`, `marked` (ECN) on its way; `delivered` to a station's
   * device.
   */
  readonly what:
    | "sent"
    | "queued"
    | "dropped"
    | "duplicated"
    | "corrupted"
    | "reordered"
    | "truncated"
    | "marked"
    | "delivered";
  /** Name of the link direction, `a>b`. */
  readonly direction: string;
  /** Name of the station that sent it into this direction, or that it was delivered to; `a box`: a rule did. */
  readonly station: string;
  /** The bytes as they are at this moment, Ethernet header first. Not to be kept or changed. */
  readonly frame: Uint8Array;
  readonly reason?: DropReason | undefined;
  /** Bytes that wait in the direction's queue after this. */
  readonly queuedBytes?: number | undefined;
}

export type FrameListener = (event: FrameEvent) => void;
