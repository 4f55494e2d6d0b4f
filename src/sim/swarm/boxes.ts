/** Puts the boxes of a scenario's link into place. */
import { thinAcknowledgments } from "../network/ack-filter";
import { forgeBlindResets } from "../network/blind-reset";
import type { Link } from "../network/link";
import { bleachEcn, clampMss, rewriteSequence, stripOptions } from "../network/middlebox";
import { Nat } from "../network/nat";
import { mergeSegments, splitSegments } from "../network/resegment";
import type { Rule } from "../network/rule";
import type { Simulation } from "../simulation";
import type { Middlebox } from "./scenario";

const permanent = { permanent: true };

export function placeBox(sim: Simulation, link: Link, box: Middlebox): void {
  const both = (rule: Rule): void => {
    for (const way of ["ab", "ba"] as const) link[way].rules.add(rule, permanent);
  };
  switch (box.kind) {
    case "option stripping":
      both(stripOptions(box.options));
      break;
    case "MSS clamping":
      both(clampMss(box.mss));
      break;
    case "sequence rewriting":
      rewriteSequence(link, box);
      break;
    case "address translation":
      new Nat(link, box);
      break;
    case "ECN bleaching":
      both(bleachEcn(box.where));
      break;
    case "ACK thinning":
      link[box.way].rules.add(thinAcknowledgments(sim.scheduler, box.intervalMs), permanent);
      break;
    case "segment splitting":
      link[box.way].rules.add(splitSegments(box.pieces), permanent);
      break;
    case "segment merging":
      link[box.way].rules.add(mergeSegments(sim.scheduler, box), permanent);
      break;
    case "blind resets": {
      const random = sim.random.split(`blind resets/${link.name}/${box.way}`);
      link[box.way].rules.add(forgeBlindResets(random, box), permanent);
      break;
    }
  }
}

/** Numbers or addresses of a segment are others at its arrival. */
export function isTranslating({ kind }: Middlebox): boolean {
  return kind === "sequence rewriting" || kind === "address translation";
}
