/**
 * What a link can be told: plain data, which a swarm draws, a shrinker takes keys out of and JSON
 * prints. One schema gives the types and the checks.
 */
import * as v from "valibot";
import { ERRNO_EINVAL } from "../../../assembly/layout";
import { DemibunError } from "../../errors";
import { nearest } from "../../nearest";

function refused(issue: v.BaseIssue<unknown>, expected: string): string {
  const { input } = issue;
  // JSON has no word for NaN and Infinity.
  const given = typeof input === "number" ? `${input}` : (JSON.stringify(input) ?? "nothing");
  return `${given} is not allowed; expected ${expected}`;
}

function number(minimum: number, maximum: number, expected: string) {
  const message = (issue: v.BaseIssue<unknown>) => refused(issue, expected);
  return v.pipe(
    v.number(message),
    v.finite(message),
    v.minValue(minimum, message),
    v.maxValue(maximum, message),
  );
}

function integer(minimum: number, expected: string) {
  const message = (issue: v.BaseIssue<unknown>) => refused(issue, expected);
  return v.pipe(v.number(message), v.safeInteger(message), v.minValue(minimum, message));
}

const flag = v.optional(v.boolean((issue) => refused(issue, "true or false")));

/** An object with these keys and no other; a mistyped one is told with its likely meaning. */
function section<const Entries extends v.ObjectEntries>(entries: Entries) {
  const known = Object.keys(entries);
  return v.strictObject(entries, (issue) => {
    const key = String(issue.path?.at(-1)?.key ?? "");
    if (issue.expected === "never") {
      const meant = nearest(key, known);
      const guess = meant === undefined ? "" : ` (did you mean "${meant}"?)`;
      return `unknown key${guess}; allowed: ${known.join(", ")}`;
    }
    return issue.path === undefined || known.length === 0
      ? refused(issue, `an object of ${known.join(", ")}`)
      : `is missing; needed beside: ${known.filter((name) => name !== key).join(", ")}`;
  });
}

const probability = number(0, 1, "a probability from 0 to 1");
const milliseconds = number(0, 1e9, "milliseconds, 0 or more");
const bitsPerSecond = number(1, 1e15, "bits per second, 1 or more");
const count = integer(1, "a whole number, 1 or more");

const range = v.pipe(
  v.tuple([milliseconds, milliseconds], (issue) => refused(issue, "[lowest, highest] in ms")),
  v.check(
    ([low, high]) => low <= high,
    (issue) => refused(issue, "lowest first"),
  ),
);

const delay = v.union(
  [
    milliseconds,
    section({ constant: milliseconds }),
    section({ uniform: range }),
    section({ normal: section({ mean: milliseconds, deviation: milliseconds }) }),
    section({
      exponential: v.pipe(
        section({ minimum: milliseconds, mean: milliseconds }),
        v.check(
          ({ minimum, mean }) => minimum <= mean,
          (issue) => refused(issue, "a mean of at least the minimum"),
        ),
      ),
    }),
    section({
      trace: v.pipe(
        v.array(milliseconds),
        v.minLength(1, (issue) => refused(issue, "at least one delay")),
      ),
    }),
  ],
  (issue) =>
    refused(
      issue,
      "milliseconds, {constant}, {uniform: [lowest, highest]}, {normal: {mean, deviation}}, " +
        "{exponential: {minimum, mean}} or {trace: [ms, …]}",
    ),
);

const loss = v.union(
  [
    probability,
    section({ bernoulli: probability }),
    section({
      gilbertElliott: section({
        goodToBad: probability,
        badToGood: probability,
        lossGood: v.optional(probability),
        lossBad: v.optional(probability),
      }),
    }),
    section({ everyNth: count }),
    section({ packets: v.array(count) }),
  ],
  (issue) =>
    refused(
      issue,
      "a probability, {bernoulli}, {gilbertElliott: {goodToBad, badToGood, lossGood?, lossBad?}}, " +
        "{everyNth} or {packets: [1, …]}",
    ),
);

const red = v.pipe(
  section({
    kind: v.literal("red"),
    /** The average below which nothing is dropped, and that above which much is. */
    minimumBytes: count,
    maximumBytes: count,
    bytesMax: v.optional(count),
    maximumProbability: v.optional(probability),
    /** Of a new sample in the average. */
    weight: v.optional(probability),
    gentle: flag,
    marksEcn: flag,
  }),
  v.check(
    ({ minimumBytes, maximumBytes }) => minimumBytes < maximumBytes,
    (issue) => refused(issue, "minimumBytes below maximumBytes"),
  ),
);

const queue = v.variant(
  "kind",
  [
    section({
      kind: v.literal("drop-tail"),
      bytesMax: v.optional(count),
      packetsMax: v.optional(count),
      /** Marks Congestion Experienced (RFC 3168) on who finds more than this: K of RFC 8257 section 3.1. */
      markBytes: v.optional(count),
    }),
    red,
    section({
      kind: v.literal("codel"),
      targetMs: v.optional(milliseconds),
      intervalMs: v.optional(number(0.001, 1e9, "milliseconds, above 0")),
      bytesMax: v.optional(count),
      marksEcn: flag,
    }),
  ],
  (issue) => refused(issue, 'a queue of kind "drop-tail", "red" or "codel"'),
);

const reorder = v.union(
  [
    section({ probability, extraMs: milliseconds }),
    section({ swap: probability, holdMs: v.optional(milliseconds) }),
  ],
  (issue) => refused(issue, "{probability, extraMs} or {swap, holdMs?}"),
);

export const directionSchema = section({
  /** Propagation: the same for all, or drawn for each frame. Default 0. */
  delayMs: v.optional(delay),
  /** Lets a frame with a shorter delay overtake; without it jitter keeps the order. */
  jitterReorders: flag,
  /** A frame occupies the line for all its bits. Default: no limit, and so no queue. */
  bandwidthBitsPerSecond: v.optional(bitsPerSecond),
  /** Added to a frame's bytes on the line. Default 24: Ethernet's preamble, FCS and gap. */
  overheadBytes: v.optional(integer(0, "bytes, 0 or more")),
  /** Who waits for the line. Default drop-tail with 1,000 packets. */
  queue: v.optional(queue),
  /** Lost on the wire. `packets` and `everyNth` count frames as they are sent, from 1. */
  loss: v.optional(loss),
  /** `copies` more of a frame (default 1), each `delayMs` behind the one before (default 0). */
  duplicate: v.optional(
    v.union(
      [
        probability,
        section({ probability, copies: v.optional(count), delayMs: v.optional(milliseconds) }),
      ],
      (issue) => refused(issue, "a probability or {probability, copies?, delayMs?}"),
    ),
  ),
  /**
   * `extraMs` lets later frames overtake; `swap` holds a frame until the next one has passed, for
   * `holdMs` at most (default 100).
   */
  reorder: v.optional(reorder),
  /** Flips a bit, changes a byte, or flips 2 to 32 bits in a row, wherever in the frame. */
  corrupt: v.optional(
    section({
      probability,
      what: v.picklist(["bit", "byte", "burst"], (issue) =>
        refused(issue, '"bit", "byte" or "burst"'),
      ),
      /** Damages the payload and mends the checksum: only the application can notice. */
      before: flag,
    }),
  ),
  /** Cuts a frame to a random length of at least `bytesMin` (default 14). */
  truncate: v.optional(
    section({ probability, bytesMin: v.optional(integer(0, "bytes, 0 or more")) }),
  ),
  /** Bytes of an IP packet; larger ones are dropped. */
  mtu: v.optional(integer(68, "bytes, 68 or more")),
  /** A policer: what comes faster for longer is dropped before the queue. */
  rateLimit: v.optional(section({ bitsPerSecond, burstBytes: count })),
});

/** One direction of a link; every key may be left out. */
export type DirectionOptions = v.InferInput<typeof directionSchema>;
export type DelayOptions = v.InferInput<typeof delay>;
export type LossOptions = v.InferInput<typeof loss>;
export type QueueOptions = v.InferInput<typeof queue>;

/** Both directions alike, or each its own. */
export type LinkOptions =
  | DirectionOptions
  | { readonly ab?: DirectionOptions | undefined; readonly ba?: DirectionOptions | undefined };

/** Throws EINVAL that names link, direction and key, and what is allowed there. */
function checkDirection(link: string, which: string, options: unknown): DirectionOptions {
  const result = v.safeParse(directionSchema, options);
  if (result.success) return result.output;
  const details = result.issues.map((issue) => {
    const path = (issue.path ?? []).map(({ key }) => String(key)).join(".");
    return path === "" ? issue.message : `${path}: ${issue.message}`;
  });
  throw new DemibunError({
    operation: `link ${link}, ${which}`,
    errno: ERRNO_EINVAL,
    detail: details.join("\n"),
    hint: "change what is named here; the other keys are right",
  });
}

/** Both directions' options, checked. */
export function checkLinkOptions(
  link: string,
  options: LinkOptions,
): { readonly ab: DirectionOptions; readonly ba: DirectionOptions } {
  if (typeof options === "object" && options !== null && ("ab" in options || "ba" in options)) {
    const { ab = {}, ba = {}, ...rest } = options;
    const mixed = Object.keys(rest)[0];
    if (mixed !== undefined) checkDirection(link, "beside ab and ba", rest);
    if (mixed !== undefined) {
      throw new DemibunError({
        operation: `link ${link}`,
        errno: ERRNO_EINVAL,
        detail: `${mixed} stands beside ab and ba, where it has no direction`,
        hint: `write ${mixed} into ab, ba or both`,
      });
    }
    return { ab: checkDirection(link, "ab", ab), ba: checkDirection(link, "ba", ba) };
  }
  const both = checkDirection(link, "both directions", options);
  return { ab: both, ba: both };
}
