/** Demikernel's environment variables, which outrank the file: LIBOS, MTU, MSS, NODELAY, LINGER. */
import { nearest } from "../nearest";
import type { LibosName } from "./config";
import { ConfigError } from "./problem";
import { libosNames } from "./schema";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A file's contents as parsed: sections of keys, nothing checked yet. */
export type RawConfig = Record<string, unknown>;

function refuse(name: string, value: string, expected: string, example: string): never {
  throw new ConfigError(
    "environment",
    [
      {
        path: [name],
        message: `${JSON.stringify(value)} is not accepted`,
        expected,
        write: `${name}=${example}`,
        position: undefined,
      },
    ],
    undefined,
  );
}

/** The libOS that LIBOS names; catpowder where it is not set. */
export function libosFrom(environment: Environment): LibosName {
  const value = environment.LIBOS;
  if (value === undefined || value === "") return "catpowder";
  const name = libosNames.find((known) => known === value.toLowerCase());
  if (name !== undefined) return name;
  const meant = nearest(value, libosNames) ?? "catpowder";
  return refuse("LIBOS", value, `one of ${libosNames.join(", ")}`, meant);
}

function wholeNumber(name: string, value: string, minimum: number, example: number): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= minimum && number <= 65535) return number;
  return refuse(name, value, `a whole number from ${minimum} to 65535`, `${example}`);
}

const truths: Readonly<Record<string, boolean>> = {
  true: true,
  1: true,
  on: true,
  false: false,
  0: false,
  off: false,
};

function section(raw: RawConfig, name: string): RawConfig {
  const value = raw[name];
  const copy = typeof value === "object" && value !== null ? { ...value } : {};
  // A section of the wrong kind stays for the schema to report.
  if (value === undefined || value === null || typeof value === "object") raw[name] = copy;
  return copy;
}

/** A copy of `raw` with what the environment overrides put in. LINGER is seconds, or false. */
export function withEnvironment(raw: RawConfig, environment: Environment): RawConfig {
  const result = { ...raw };
  const { MTU, MSS, NODELAY, LINGER } = environment;
  if (MTU) section(result, "inetstack_config").mtu = wholeNumber("MTU", MTU, 68, 1500);
  if (MSS) section(result, "inetstack_config").mss = wholeNumber("MSS", MSS, 88, 1460);
  if (NODELAY) {
    section(result, "tcp_socket_options").nodelay =
      truths[NODELAY.toLowerCase()] ?? refuse("NODELAY", NODELAY, "true or false", "true");
  }
  if (LINGER) {
    const off = ["false", "off"].includes(LINGER.toLowerCase());
    section(result, "tcp_socket_options").linger = off
      ? { enabled: false }
      : { enabled: true, time_seconds: wholeNumber("LINGER", LINGER, 0, 0) };
  }
  return result;
}
