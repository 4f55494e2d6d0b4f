/** Which frames a direction loses. */
import type { Random } from "../random";
import type { LossOptions } from "./options";

/** Says of the frame of this number (the first sent is 1) whether it is lost; to be asked in order. */
export type LossModel = (number: number) => boolean;

export function lossModel(options: LossOptions, random: Random): LossModel {
  if (typeof options === "number") return () => random.chance(options);
  if ("bernoulli" in options) return () => random.chance(options.bernoulli);
  if ("everyNth" in options) return (number) => number % options.everyNth === 0;
  if ("packets" in options) {
    const packets = new Set(options.packets);
    return (number) => packets.has(number);
  }
  return gilbertElliott(options.gilbertElliott, random);
}

/** Two states, each with its own loss (Gilbert 1960, Elliott 1963): losses come in bursts. */
function gilbertElliott(
  {
    goodToBad,
    badToGood,
    lossGood = 0,
    lossBad = 1,
  }: Extract<LossOptions, { gilbertElliott: unknown }>["gilbertElliott"],
  random: Random,
): LossModel {
  let bad = false;
  return () => {
    if (random.chance(bad ? badToGood : goodToBad)) bad = !bad;
    return random.chance(bad ? lossBad : lossGood);
  };
}
