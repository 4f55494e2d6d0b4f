/** Opening an instance: the configuration, the libOS it names, and the stack on its device. */
import type { Backend } from "../../shims/contract";
import type { LoopbackOptions } from "../../shims/loopback/loopback";
import type { Config, LibosName } from "../config/config";
import { loadConfig, resolveConfig } from "../config/load";
import { parseIpv4 } from "../wasm/address";
import { stackModule } from "../wasm/module";
import { Stack } from "../wasm/stack";
import { defaultStackOptions, type StackOptions } from "../wasm/stack-options";
import { joinStacks } from "../libos/loopback-pair";
import { openLibOs } from "../libos/registry";
import { hostEventLoop } from "../runtime/event-loop";
import { Demikernel } from "./demikernel";

export interface OpenOptions {
  /** Outranks the environment's LIBOS; `"catpowder"` when neither says. */
  readonly libos?: LibosName | undefined;
  /** Path of a YAML file (default: CONFIG_PATH), or its contents as an object. */
  readonly config?: string | object | undefined;
  /** A device of the caller's own instead of the configured one; disposed with the instance. */
  readonly backend?: Backend | undefined;
}

export async function openInstance(options: OpenOptions): Promise<Demikernel> {
  const config = readConfig(options);
  const libos = await openLibOs(config.libos, config, hostEventLoop.nowUs(), options.backend);
  return new Demikernel(libos, {
    spinUs: config.runtime.spinUs,
    ...(config.tcpSocketOptions.linger.enabled
      ? { lingerSeconds: config.tcpSocketOptions.linger.timeSeconds }
      : {}),
  });
}

function readConfig({ libos, config }: OpenOptions): Config {
  if (config === undefined || typeof config === "string") return loadConfig(config, { libos });
  return resolveConfig(config, { libos });
}

export interface PairOptions extends LoopbackOptions {
  /** Pool sizes and defaults that differ from `defaultStackOptions`, for both stacks. */
  readonly stack?: Partial<StackOptions> | undefined;
  /** Addresses of the two stacks, one /24 network; 10.0.0.1 and 10.0.0.2 by default. */
  readonly addresses?: readonly [string, string] | undefined;
  readonly spinUs?: number | undefined;
}

/** Two instances joined back to back in this process: for tests and for trying things out. */
export function openPair(options: PairOptions = {}): [Demikernel, Demikernel] {
  const {
    stack: changes,
    addresses = ["10.0.0.1", "10.0.0.2"],
    spinUs = 50,
    ...loopback
  } = options;
  const open = () =>
    Stack.open(stackModule(), { ...defaultStackOptions, ...changes }, hostEventLoop.nowUs());
  const at = (text: string) => ({ address: parseIpv4(text, "address"), prefix: 24 });
  const liboses = joinStacks([open(), open()], [at(addresses[0]), at(addresses[1])], loopback);
  const [first, second] = liboses.map((libos) => new Demikernel(libos, { spinUs }));
  return [first as Demikernel, second as Demikernel];
}
