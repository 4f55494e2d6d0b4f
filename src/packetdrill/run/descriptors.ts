/** The script's descriptors and the system's, which choose their numbers apart. */
export class Descriptors {
  readonly #byScript = new Map<number, number>();
  readonly #bySystem = new Map<number, number>();

  /** The script calls the system's descriptor so. */
  name(script: number, system: number): void {
    this.#byScript.set(script, system);
    this.#bySystem.set(system, script);
  }

  forget(system: number): void {
    const script = this.#bySystem.get(system);
    this.#bySystem.delete(system);
    if (script !== undefined && this.#byScript.get(script) === system) {
      this.#byScript.delete(script);
    }
  }

  isOpen(script: number): boolean {
    return this.#byScript.has(script);
  }

  /** Numbers that the script never named are the system's own: EBADF comes from there. */
  readonly toSystem = (script: number): number => this.#byScript.get(script) ?? unnamed(script);

  readonly toScript = (system: number): number => this.#bySystem.get(system) ?? system;
}

/** A number that no system has open; -1 stays what it is. */
function unnamed(script: number): number {
  return script < 0 ? script : 1_000_000 + script;
}
