/** Exports for tests and benchmarks only; never in the module that is released. */
export { sipHash24 } from "./crypto/siphash";
export { sumChain } from "./memory/chain-checksum";
export { pseudoHeaderSum, sumBytes, sumHeader } from "./wire/checksum";
export { portEphemeral, portInUse, portRelease, portTake } from "./transport/ports";
export { seedRandom, randomBelow, randomU32 } from "./random";
export {
  benchAccepted,
  benchBulk,
  benchClient,
  benchConnect,
  benchConnectClose,
  benchEcho,
  benchListen,
} from "./bench";
export { benchEchoStart, benchEchoTurn, benchReceiveTurn, benchSendTurn } from "./bench-turn";
