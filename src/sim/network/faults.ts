/**
 * What befalls each frame of a direction. Everything is drawn when the frame is sent, one stream for
 * each purpose and the same draws for every frame: a fault that is switched on or off, a queue that
 * drops or a partition shifts no other fault's numbers.
 */
import type { Random } from "../random";
import type { Nanoseconds } from "../scheduler";
import { type Corruption, drawCorruption } from "./corruption";
import { constantDelay, delaySampler } from "./delay";
import { type LossModel, lossModel } from "./loss";
import type { DirectionOptions } from "./options";

const nsPerMs = 1e6;

export interface Fate {
  readonly delayNs: Nanoseconds;
  readonly lost: boolean;
  /** Beside the frame itself. */
  readonly copies: number;
  /** From each copy to the next. */
  readonly copyDelayNs: Nanoseconds;
  /** Added to the delay of a frame that the next ones may overtake; 0 for none. */
  readonly extraNs: Nanoseconds;
  /** Changes places with the next frame. */
  readonly swapped: boolean;
  readonly corruption: Corruption | undefined;
  /** Share of the bytes beyond `bytesMin` that are kept. */
  readonly truncation: number | undefined;
}

type Option<Key extends keyof DirectionOptions> = Exclude<DirectionOptions[Key], undefined>;

function duplication(options: Option<"duplicate">) {
  const {
    probability,
    copies = 1,
    delayMs = 0,
  } = typeof options === "number" ? { probability: options } : options;
  return { probability, copies, delayNs: delayMs * nsPerMs };
}

/** Undefined for a direction where every frame fares alike: nothing has to be drawn for it. */
export function faultsOf(options: DirectionOptions, random: Random): Faults | undefined {
  const { delayMs = 0, loss, duplicate, reorder, corrupt, truncate } = options;
  const faults = [loss, duplicate, reorder, corrupt, truncate];
  const plain = constantDelay(delayMs) !== undefined;
  return plain && faults.every((fault) => fault === undefined)
    ? undefined
    : new Faults(options, random);
}

export class Faults {
  readonly #options: DirectionOptions;
  readonly #delay: () => Nanoseconds;
  readonly #loss: LossModel | undefined;
  readonly #duplicate: ReturnType<typeof duplication> | undefined;
  readonly #streams: Readonly<Record<"duplicate" | "reorder" | "corrupt" | "truncate", Random>>;
  #healed = false;

  constructor(options: DirectionOptions, random: Random) {
    const { delayMs = 0, loss, duplicate } = options;
    this.#options = options;
    this.#delay = delaySampler(delayMs, random.split("delay"));
    this.#loss = loss === undefined ? undefined : lossModel(loss, random.split("loss"));
    this.#duplicate = duplicate === undefined ? undefined : duplication(duplicate);
    this.#streams = {
      duplicate: random.split("duplicate"),
      reorder: random.split("reorder"),
      corrupt: random.split("corrupt"),
      truncate: random.split("truncate"),
    };
  }

  /** From now on frames are only delayed. */
  heal(): void {
    this.#healed = true;
  }

  /** The fate of the frame of this number; to be asked for each in order. */
  draw(number: number): Fate {
    const { corrupt, truncate, reorder } = this.#options;
    const duplicate = this.#duplicate;
    const streams = this.#streams;
    const delayNs = this.#delay();
    if (this.#healed) return { ...unharmed, delayNs };
    const moved =
      reorder !== undefined &&
      streams.reorder.chance("swap" in reorder ? reorder.swap : reorder.probability);
    return {
      delayNs,
      lost: this.#loss?.(number) ?? false,
      copies:
        duplicate !== undefined && streams.duplicate.chance(duplicate.probability)
          ? duplicate.copies
          : 0,
      copyDelayNs: duplicate?.delayNs ?? 0,
      extraNs: moved && "extraMs" in reorder ? reorder.extraMs * nsPerMs : 0,
      swapped: moved && "swap" in reorder,
      corruption: corrupt && drawCorruption(corrupt, streams.corrupt),
      truncation: truncate && drawTruncation(truncate.probability, streams.truncate),
    };
  }
}

const unharmed = {
  lost: false,
  copies: 0,
  copyDelayNs: 0,
  extraNs: 0,
  swapped: false,
  corruption: undefined,
  truncation: undefined,
} as const;

function drawTruncation(probability: number, random: Random): number | undefined {
  const share = random.float();
  return random.chance(probability) ? share : undefined;
}
