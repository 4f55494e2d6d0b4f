/** Preloaded before a program of ours, makes `Demikernel.open` put a faulty backend below it. */
import { Demikernel } from "../../src/index";
import { openConfigured } from "./configured-device";
import { FaultyBackend } from "./faulty";

const loss = Number(process.env.TEST_LOSS);
const seed = Number(process.env.TEST_SEED);
const open = Demikernel.open;

Demikernel.open = (options = {}) =>
  open({ ...options, backend: new FaultyBackend(openConfigured(), { loss, seed }) });
