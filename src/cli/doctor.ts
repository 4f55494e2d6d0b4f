/** `demibun doctor`: what this machine can run, and the command that mends what it cannot. */
import { type Command, exitFailure, exitUsage } from "./command";
import { type Finding, machineFindings } from "./findings";

/** Asks every backend itself; imported only here, so that the other commands need no device code. */
async function backendFindings(): Promise<Finding[]> {
  const { backends } = await import("../../shims/registry");
  return backends.map((backend) => {
    const probe = backend.probe();
    const name = `backend ${backend.name}`;
    if (probe.usable) return { name, state: "ok", detail: backend.summary };
    return { name, state: "absent", detail: probe.reason, hint: probe.hint };
  });
}

const marks = { ok: "ok     ", absent: "absent ", missing: "MISSING" } as const;

function show(findings: readonly Finding[]): void {
  const width = Math.max(...findings.map(({ name }) => name.length));
  for (const { name, state, detail, hint } of findings) {
    console.log(`${marks[state]}  ${name.padEnd(width)}  ${detail}`);
    if (hint !== undefined) console.log(`${" ".repeat(width + 11)}mend: ${hint}`);
  }
}

export const doctorCommand: Command = {
  name: "doctor",
  usage: [["doctor", "say what this machine can run and how to mend the rest"]],
  async run(words) {
    if (words.length > 0) {
      console.error(`demibun doctor: takes no arguments, got ${words.join(" ")}`);
      return exitUsage;
    }
    const machine = machineFindings();
    const devices = await backendFindings();
    show([...machine, ...devices]);
    const missing = machine.filter(({ state }) => state === "missing");
    const usable = devices.filter(({ state }) => state === "ok").map(({ name }) => name.slice(8));
    console.log(
      usable.length === 0
        ? "\nNo backend can be opened by this user on this machine."
        : `\nBackends that open: ${usable.join(", ")}.`,
    );
    return missing.length === 0 && usable.length > 0 ? 0 : exitFailure;
  },
};
