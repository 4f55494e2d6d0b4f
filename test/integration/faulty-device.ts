/** Preloaded before a program of ours, makes `Demikernel.open` put a faulty backend below it. */
import { openBackend } from "../../shims/registry";
import { loadConfig } from "../../src/config/load";
import { Demikernel } from "../../src/index";
import { FaultyBackend } from "./faulty";

const loss = Number(process.env.TEST_LOSS);
const seed = Number(process.env.TEST_SEED);
const open = Demikernel.open;

Demikernel.open = (options = {}) => {
  const { rawSocket, demikernel } = loadConfig();
  const device = openBackend(rawSocket.backend ?? "tap", {
    interfaceName: rawSocket.linuxInterfaceName ?? "",
    address: demikernel.localIpv4Address ?? "",
  });
  return open({ ...options, backend: new FaultyBackend(device, { loss, seed }) });
};
