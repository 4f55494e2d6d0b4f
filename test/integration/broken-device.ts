/** Preloaded before a program of ours, lets its device throw after a moment, as no device should. */
import { Demikernel } from "../../src/index";
import { openConfigured } from "./configured-device";

const POLLS = 50;
const open = Demikernel.open;

Demikernel.open = (options = {}) => {
  const backend = openConfigured();
  const poll = backend.poll.bind(backend);
  let polls = 0;
  backend.poll = () => {
    if (++polls > POLLS) throw new Error("the device is broken");
    return poll();
  };
  return open({ ...options, backend });
};
