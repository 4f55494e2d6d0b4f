/** Before every test file: bun's default of 5 s is too short for transfers over a real device. */
import { setDefaultTimeout } from "bun:test";

setDefaultTimeout(60_000);
