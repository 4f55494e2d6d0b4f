/** The package's entry: one queue API over whatever moves the bytes. */
export { DemibunError } from "./errors";
export type { ConnectionInfo } from "./pdpix/connection-info";
export { Demikernel } from "./pdpix/demikernel";
export { type OpenOptions, openPair, type PairOptions } from "./pdpix/open";
export type { QueueDescriptor, QueueResult, QueueToken, SocketKind } from "./pdpix/queue-result";
export type { ScatterGatherArray } from "./pdpix/scatter-gather-array";
export type { Endpoint, SocketAddress } from "./pdpix/socket-address";
export type { SocketOptions } from "./pdpix/socket-options";
export type { Statistics } from "./pdpix/statistics";
export type { IndexedResult, WaitOptions } from "./pdpix/waiting";
