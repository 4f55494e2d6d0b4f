/** What the servers of the network benchmarks do, and how they are told. */

/** `echo` sends back what comes, `sink` drops it, `source` sends as much as the client takes. */
export type Service = "echo" | "sink" | "source";

/** Bytes of one write of a source; what they say does not matter. */
export const sourceBytes = 65536;

export function readService(): { readonly service: Service; readonly port: number } {
  const [service, port] = process.argv.slice(2);
  if (service !== "echo" && service !== "sink" && service !== "source") {
    throw new Error("usage: SERVER echo|sink|source PORT");
  }
  return { service, port: Number(port) };
}
