/** How much of the pool of frames is left. */
import { framesFree } from "../../memory/frame";
import { Connection } from "./connection";

/** Frames that are free, or with the device to receive into. */
export function framesLeft(connection: Connection): u32 {
  return framesFree() + connection.nic.posted;
}
