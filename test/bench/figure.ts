/** What a benchmark reports and how the table shows it. */

export type Unit = "ns" | "µs" | "Gb/s" | "cycles/s" | "bytes";

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: Unit;
  /** What `value` is compared with; null when there is nothing to compare. */
  readonly peer: string | null;
  readonly peerValue: number | null;
  /** value ÷ peerValue: below 1 is better for times and sizes, above 1 for rates. */
  readonly ratio: number | null;
  readonly conditions: string;
}

export interface Budget {
  /** Seconds instead of minutes, so that a test can run everything; the figures mean little. */
  readonly brief: boolean;
}

export interface Benchmark {
  /** The figures it yields, in their order; known before it runs so that `--only` can choose. */
  readonly names: readonly string[];
  /** Why this machine or user cannot run it; undefined when it can. */
  readonly obstacle?: () => string | undefined;
  readonly run: (budget: Budget) => Promise<Figure[]>;
}

export function figure(
  name: string,
  value: number,
  unit: Unit,
  conditions: string,
  peer?: { readonly name: string; readonly value: number },
): Figure {
  return {
    name,
    value,
    unit,
    peer: peer?.name ?? null,
    peerValue: peer?.value ?? null,
    ratio: peer === undefined ? null : value / peer.value,
    conditions,
  };
}

function digits(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString("en");
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

/** One Markdown row a figure; rows of the same conditions share a footnote. */
export function table(figures: readonly Figure[]): string {
  const notes = [...new Set(figures.map(({ conditions }) => conditions))];
  const rows = figures.map(({ name, value, unit, peer, peerValue, ratio, conditions }) => [
    `\`${name}\``,
    `${digits(value)} ${unit}`,
    peerValue === null ? "" : `${digits(peerValue)} ${unit} (${peer})`,
    ratio === null ? "" : ratio.toFixed(2),
    String(notes.indexOf(conditions) + 1),
  ]);
  const lines = [
    ["figure", "value", "peer", "ratio", "note"],
    ["-", "-:", "-", "-:", "-"],
    ...rows,
  ];
  const text = lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  return `${text}\n\n${notes.map((note, index) => `${index + 1}. ${note}`).join("\n")}`;
}
