/** A packet event: `> S. 0:0(0) ack 1 <...>`, `< udp (1000)`, `< icmp unreachable`. */
import type { Lexer } from "./lexer";
import { parseIcmp, parseLength, parsePorts } from "./parse-icmp";
import { parseIpFields, parseOuterHeaders } from "./parse-ip";
import { parseTcp } from "./parse-tcp";
import type { PacketAction } from "./script";

/** `<` or `>`; undefined when neither stands there. */
export function parseDirection(lexer: Lexer): PacketAction["direction"] | undefined {
  if (lexer.accept("<")) return "inbound";
  return lexer.accept(">") ? "outbound" : undefined;
}

function parsePspSpi(lexer: Lexer): number | undefined {
  if (!lexer.acceptWord("encap")) return undefined;
  lexer.expectWord("psp", "and spi N");
  lexer.expectWord("spi", "and its number");
  return lexer.integer("the security parameters index");
}

/** The packet behind its direction. */
export function parsePacket(lexer: Lexer, direction: PacketAction["direction"]): PacketAction {
  const outerHeaders = parseOuterHeaders(lexer);
  const ip = parseIpFields(lexer);
  const pspSpi = parsePspSpi(lexer);
  const common = {
    kind: "packet" as const,
    direction,
    outerHeaders,
    ip,
    ...(pspSpi === undefined ? {} : { pspSpi }),
  };
  if (lexer.acceptWord("icmp")) return { ...common, body: parseIcmp(lexer) };
  const udp = lexer.acceptWord("udp");
  const ports = parsePorts(lexer);
  const addressed = ports === undefined ? common : { ...common, ports };
  if (!udp) return { ...addressed, body: parseTcp(lexer) };
  const length = parseLength(lexer, "the length of the datagram's payload");
  return { ...addressed, body: { kind: "udp", length } };
}
