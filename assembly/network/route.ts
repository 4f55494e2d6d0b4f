/** Routes: which interface and which next hop a destination has (RFC 1122 section 3.3.1). */
import { Interface, interfaceAt, interfacesTotal } from "../link/interface";
import { Ipv4 } from "../wire/ipv4";

/** What the last `route` that answered true has found. */
export let routeInterface: Interface = changetype<Interface>(0);
export let routeNextHop: u32 = 0;

/** Sets the next hop of everything off-link that leaves through `nic`; 0 for none. */
export function gatewaySet(nic: Interface, address: u32): void {
  nic.gateway = address;
}

/**
 * Finds the way to one host: on-link by the prefix of an interface, else through the first gateway.
 * An interface never leads to its own address, but another one on the same link may. Broadcast and
 * multicast destinations have no route.
 */
export function route(destination: u32): bool {
  if (!Ipv4.isUnicast(destination)) return false;
  const total = interfacesTotal();
  for (let index: u32 = 0; index < total; index++) {
    const nic = interfaceAt(index);
    if (nic.up == 0 || nic.address == destination || !nic.isOnLink(destination)) continue;
    if (destination == nic.broadcast) return false;
    routeInterface = nic;
    routeNextHop = destination;
    return true;
  }
  return !isOwnAddress(destination) && routeByGateway();
}

function routeByGateway(): bool {
  const total = interfacesTotal();
  for (let index: u32 = 0; index < total; index++) {
    const nic = interfaceAt(index);
    if (nic.up == 0 || nic.gateway == 0) continue;
    routeInterface = nic;
    routeNextHop = nic.gateway;
    return true;
  }
  return false;
}

/** Says whether an interface has this address. */
export function isOwnAddress(address: u32): bool {
  const total = interfacesTotal();
  for (let index: u32 = 0; index < total; index++) {
    const nic = interfaceAt(index);
    if (nic.up != 0 && nic.address == address) return true;
  }
  return false;
}
