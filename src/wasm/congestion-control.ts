/** The congestion controllers' numbers in the stack. */
import { CONTROLLER_CUBIC, CONTROLLER_DCTCP, CONTROLLER_NEW_RENO } from "../../assembly/layout";
import { type CongestionControl, congestionControls } from "../config/congestion-control";

export type { CongestionControl };

const numbers: Readonly<Record<CongestionControl, number>> = {
  cubic: CONTROLLER_CUBIC,
  newreno: CONTROLLER_NEW_RENO,
  dctcp: CONTROLLER_DCTCP,
};

export function controllerNumber(name: CongestionControl): number {
  return numbers[name];
}

export function controllerName(number: number): CongestionControl {
  return congestionControls.find((name) => numbers[name] === number) ?? "cubic";
}
