/** The probe module with both ends of its in-module harness (assembly/bench.ts) attached. */
import { readFileSync } from "node:fs";
import { defaultOffsets } from "../../shims/ring";
import type { StackExports } from "../../src/wasm/exports";
import { Stack } from "../../src/wasm/stack";
import type { StackOptions } from "../../src/wasm/stack-options";
import { benchOptions, plainInterface } from "./stack-options";

export interface ProbeExports extends StackExports {
  benchListen(address: number): number;
  benchConnect(address: number): number;
  benchEcho(client: number, accepted: number, bytes: number, rounds: number): number;
  benchBulk(client: number, accepted: number, bytes: number, total: number): number;
  benchConnectClose(address: number, count: number): number;
  benchEchoStart(qd: number, bytes: number): void;
  benchEchoTurn(nowUs: number, bytes: number): number;
  benchSendTurn(nowUs: number, qd: number, bytes: number, pending: number): number;
  benchReceiveTurn(nowUs: number): number;
  readonly benchClient: WebAssembly.Global<"i32">;
  readonly benchAccepted: WebAssembly.Global<"i32">;
}

export interface Connection {
  readonly client: number;
  readonly accepted: number;
}

/** The listener's address, 10.0.0.2 as the module reads it from memory. */
export const LISTENER = 0x0200000a;
const location = new URL("../../build/wasm/probe.wasm", import.meta.url);

let compiled: WebAssembly.Module | undefined;

/** Compiles build/wasm/probe.wasm at the first call. */
export function probeModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(readFileSync(location));
  return compiled;
}

export class Probe {
  readonly stack: Stack;
  readonly exports: ProbeExports;

  constructor(options: Partial<StackOptions> = {}) {
    this.stack = Stack.open(probeModule(), { ...benchOptions, ...options, interfaces: 2 }, 0);
    this.exports = this.stack.exports as ProbeExports;
    for (const index of [0, 1] as const) {
      this.stack.attach(index, plainInterface(index), defaultOffsets);
    }
    this.stack.check("listen", this.exports.benchListen(LISTENER));
  }

  connect(): Connection {
    this.stack.check("connect", this.exports.benchConnect(LISTENER));
    return { client: this.exports.benchClient.value, accepted: this.exports.benchAccepted.value };
  }
}
