/** Turns losses that are drawn at random into a list of the packets that are lost. */
import type { DirectionOptions } from "../network/options";
import type { FrameEvent } from "../trace";
import type { Scenario } from "./scenario";
import type { Execute } from "./shrink";

const ways = ["ab", "ba"] as const;

type Way = (typeof ways)[number];

interface Place {
  readonly link: number;
  readonly way: Way;
}

function places(scenario: Scenario): Place[] {
  return scenario.links.flatMap((_, link) => ways.map((way) => ({ link, way })));
}

function optionsAt(scenario: Scenario, { link, way }: Place): DirectionOptions {
  return scenario.links[link]?.[way] ?? {};
}

function withOptions(
  scenario: Scenario,
  { link, way }: Place,
  options: DirectionOptions,
): Scenario {
  const links = scenario.links.map((one, index) =>
    index === link ? { ...one, [way]: options } : one,
  );
  return { ...scenario, links };
}

/** The same run with every loss by number; undefined when nothing is lost at random. */
export async function explicitLosses(
  scenario: Scenario,
  execute: Execute,
): Promise<Scenario | undefined> {
  const random = places(scenario).filter((place) => {
    const { loss } = optionsAt(scenario, place);
    return loss !== undefined && !(typeof loss === "object" && "packets" in loss);
  });
  if (random.length === 0) return undefined;
  const lost = await observeLosses(scenario, execute);
  return random.reduce((explicit, place) => {
    const { a, b } = scenario.links[place.link] as Scenario["links"][number];
    const packets = lost.get(directionName(a, b, place.way)) ?? [];
    return withOptions(explicit, place, { ...optionsAt(explicit, place), loss: { packets } });
  }, scenario);
}

function directionName(a: string, b: string, way: Way): string {
  return way === "ab" ? `${a}>${b}` : `${b}>${a}`;
}

/** Numbers of lost packets by direction: the first one that was sent into it is 1. */
async function observeLosses(scenario: Scenario, execute: Execute): Promise<Map<string, number[]>> {
  const lost = new Map<string, number[]>();
  const sent = new Map<string, number>();
  const numbers = new WeakMap<Uint8Array, number>();
  const onFrame = ({ what, reason, direction, frame }: FrameEvent): void => {
    const name = plainName(direction);
    if (what === "sent") {
      const number = (sent.get(name) ?? 0) + 1;
      sent.set(name, number);
      numbers.set(frame, number);
    } else if (what === "dropped" && reason === "loss") {
      const number = numbers.get(frame);
      if (number === undefined) return;
      const list = lost.get(name);
      if (list === undefined) lost.set(name, [number]);
      else list.push(number);
    }
  };
  await execute(scenario, { onFrame });
  return lost;
}

/** `a-router: a>router.0` → `a>router`: as the scenario names the ends. */
function plainName(direction: string): string {
  const ends = direction.slice(direction.lastIndexOf(" ") + 1).split(">");
  return ends.map((end) => end.replace(/\.\d+$/, "")).join(">");
}

/** The lists of lost packets, to be shortened. */
export function lossLists(scenario: Scenario) {
  return places(scenario).map((place) => ({
    get(from: Scenario): readonly number[] {
      const { loss } = optionsAt(from, place);
      return typeof loss === "object" && "packets" in loss ? loss.packets : [];
    },
    set(from: Scenario, packets: readonly number[]): Scenario {
      const { loss: _, ...rest } = optionsAt(from, place);
      const options = packets.length === 0 ? rest : { ...rest, loss: { packets: [...packets] } };
      return withOptions(from, place, options);
    },
  }));
}
