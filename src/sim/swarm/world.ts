/** Builds the simulation that a scenario describes, and makes its faults happen in time. */
import { Router } from "../network/router";
import { Switch } from "../network/switch";
import { Simulation } from "../simulation";
import type { Host } from "../host";
import type { Station } from "../station";
import { placeBox } from "./boxes";
import type { Scenario, ScenarioHost, ScenarioNode, TimedFault } from "./scenario";

/** Gives the station that a link to this name is plugged into: a router has one for each link. */
type Socket = () => Host | Station;

export interface WorldOptions {
  readonly module: WebAssembly.Module;
  /** Told of every crash, before the host is gone. */
  readonly crashing: (host: string) => void;
}

export class World {
  readonly sim: Simulation;
  readonly #scenario: Scenario;
  readonly #crashing: (host: string) => void;
  #healed = false;

  constructor(scenario: Scenario, { module, crashing }: WorldOptions) {
    this.sim = new Simulation({ seed: scenario.seed, module });
    this.#scenario = scenario;
    this.#crashing = crashing;
  }

  /** Makes hosts, nodes and links. Listeners of the simulation should be there by now. */
  build(): void {
    const { hosts, nodes, links, faults } = this.#scenario;
    const sockets = new Map<string, Socket>();
    for (const host of hosts) {
      const made = this.#host(host);
      sockets.set(host.name, () => made);
    }
    for (const node of nodes) sockets.set(node.name, this.#node(node));
    for (const { a, b, ab, ba, boxes = [] } of links) {
      const ends = [socketOf(sockets, a)(), socketOf(sockets, b)()] as const;
      const link = this.sim.link(...ends, { ab, ba }, `${a}-${b}`);
      for (const box of boxes) placeBox(this.sim, link, box);
    }
    for (const fault of faults) this.#schedule(fault);
  }

  /** Ends every fault: what is down comes up, what is cut is joined, frames are only delayed. */
  heal(): void {
    this.#healed = true;
    for (const link of this.sim.links) link.heal();
    for (const host of this.sim.hosts.values()) {
      host.resume();
      host.boot();
    }
  }

  #host({ stack, ...options }: ScenarioHost): Host {
    return this.sim.host(options.name, { ...options, stack });
  }

  #node({ name, kind, mtu, addresses = [], routes = [] }: ScenarioNode): Socket {
    const { scheduler } = this.sim;
    if (kind === "switch") {
      const made = new Switch(scheduler, name);
      return () => made;
    }
    const router = new Router(scheduler, name);
    const { mtu: hostMtu = 1500 } = this.#scenario.hosts[0] as ScenarioHost;
    const interfaces = addresses.map((address) =>
      router.addInterface({ address, mtu: mtu ?? hostMtu }),
    );
    for (const { to, via } of routes) router.addRoute(to, via);
    let next = 0;
    return () => interfaces[next++] as Station;
  }

  #schedule(fault: TimedFault): void {
    const [begin, end] = this.#effects(fault);
    this.sim.after(fault.atMs, () => !this.#healed && begin());
    this.sim.after(fault.untilMs, () => !this.#healed && end());
  }

  #effects(fault: TimedFault): readonly [begin: () => void, end: () => void] {
    const { sim } = this;
    if (fault.kind === "partition" || fault.kind === "down") {
      const link = sim.links[fault.link];
      if (link === undefined) return [() => {}, () => {}];
      if (fault.kind === "down") return [() => link.setDown(), () => link.setUp()];
      return [
        () => link.partition(fault.which),
        () => {
          link.ab.setPartitioned(false);
          link.ba.setPartitioned(false);
        },
      ];
    }
    const host = sim.hosts.get(fault.host);
    if (host === undefined) return [() => {}, () => {}];
    if (fault.kind === "pause") return [() => host.isUp && host.pause(), () => host.resume()];
    return [
      () => {
        this.#crashing(fault.host);
        host.crash();
      },
      () => host.boot(),
    ];
  }
}

function socketOf(sockets: ReadonlyMap<string, Socket>, name: string): Socket {
  const socket = sockets.get(name);
  if (socket === undefined) throw new Error(`the scenario has no station ${JSON.stringify(name)}`);
  return socket;
}
