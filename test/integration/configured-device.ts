/** The device that the configuration names, opened as `Demikernel.open` would. */
import type { Backend } from "../../shims/contract";
import { openBackend } from "../../shims/registry";
import { loadConfig } from "../../src/config/load";

export function openConfigured(): Backend {
  const { rawSocket, demikernel } = loadConfig();
  return openBackend(rawSocket.backend ?? "tap", {
    interfaceName: rawSocket.linuxInterfaceName ?? "",
    address: demikernel.localIpv4Address ?? "",
  });
}
