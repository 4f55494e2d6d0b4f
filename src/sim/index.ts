/** `demibun/sim`: the deterministic simulator. No native code: runs in Bun, Node and a browser. */
export { DemibunError } from "../errors";
export type { Demikernel } from "../pdpix/demikernel";
export { loadStackModule } from "../wasm/load-module";
export type { AmbientMode } from "./ambient";
export { type Application, Host } from "./host";
export { Link } from "./network/link";
export type { LinkOptions } from "./network/options";
export { Capture } from "./network/capture";
export { thinAcknowledgments } from "./network/ack-filter";
export { forgeBlindResets } from "./network/blind-reset";
export {
  bleachEcn,
  clampMss,
  injectReset,
  rewriteSequence,
  stripOptions,
} from "./network/middlebox";
export { Nat } from "./network/nat";
export { mergeSegments, splitSegments } from "./network/resegment";
export type { Router } from "./network/router";
export type { Rule } from "./network/rule";
export type { Switch } from "./network/switch";
export { Random } from "./random";
export {
  type Attachment,
  type Lateness,
  type OutsideClock,
  type OutsideDevice,
  RealTime,
} from "./real-time";
export {
  type Check,
  type RunOptions,
  type SimulatedHostOptions,
  Simulation,
  type SimulationOptions,
  simulatedStackOptions,
} from "./simulation";
export type { Port, Station } from "./station";
export type { DropReason, FrameEvent, FrameListener } from "./trace";
