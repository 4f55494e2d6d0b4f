/** The modes of explicit congestion notification by the stack's numbers. */
import { ECN_OFF, ECN_ON, ECN_PASSIVE } from "../../assembly/layout";
import { type EcnMode, ecnModes } from "../config/ecn";

export type { EcnMode };

const numbers: Readonly<Record<EcnMode, number>> = {
  off: ECN_OFF,
  on: ECN_ON,
  passive: ECN_PASSIVE,
};

export function ecnNumber(mode: EcnMode): number {
  return numbers[mode];
}

export function ecnMode(number: number): EcnMode {
  return ecnModes.find((mode) => numbers[mode] === number) ?? "passive";
}
