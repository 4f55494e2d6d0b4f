/** A router's ports are stations of their own in a simulation, `router.0`: they are one for readers. */
export function stationName(station: string): string {
  return station.replace(/\.\d+$/, "");
}
