/** What a subcommand is. */
export interface Command {
  /** First word of the command line. */
  readonly name: string;
  /** Rows of the help: the form after `demibun`, and what it does. */
  readonly usage: readonly (readonly [form: string, summary: string])[];
  /** Runs with the words after the name and returns the exit status; throws DemibunError. */
  run(words: readonly string[]): Promise<number>;
}

export const exitFailure = 1;
export const exitUsage = 2;
