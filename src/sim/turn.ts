/** Gives promises their turn between two events of a simulation. */

/** The host's own functions, taken before a run forbids them. */
const immediately: (run: () => void) => void =
  typeof setImmediate === "function" ? setImmediate : messageTurn();

/** Browsers have no setImmediate; a message to oneself comes after all microtasks as well. */
function messageTurn(): (run: () => void) => void {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return (run) => {
    waiting.push(run);
    port2.postMessage(0);
  };
}

/** Resolves when everything that settled promises set off has run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => immediately(resolve));
}
