/** The status line and header fields of a response (RFC 9112 section 4 and 6). */

/** What follows the header fields. */
export type Framing =
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "until-close" }
  | { readonly kind: "none" };

const texts: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  206: "Partial Content",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  411: "Length Required",
  413: "Content Too Large",
  416: "Range Not Satisfiable",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};

/** Fields that this side decides itself. */
const own = new Set(["connection", "keep-alive", "transfer-encoding", "content-length", "date"]);

let date = "";
let dateSecond = 0;

/** The Date field, made once a second. */
function dateField(nowMs: number): string {
  const second = Math.floor(nowMs / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    date = `date: ${new Date(second * 1000).toUTCString()}\r\n`;
  }
  return date;
}

export function statusText(status: number): string {
  return texts[status] ?? "Unknown";
}

function framingField(framing: Framing): string {
  if (framing.kind === "length") return `content-length: ${framing.bytes}\r\n`;
  return framing.kind === "chunked" ? "transfer-encoding: chunked\r\n" : "";
}

/** The head with its empty line. `minorVersion` and `keepAlive` are the request's. */
export function responseHead(
  { status, statusText: reason, headers }: Response,
  framing: Framing,
  minorVersion: number,
  keepAlive: boolean,
  dateMs: number,
): string {
  let head = `HTTP/1.1 ${status} ${reason === "" ? statusText(status) : reason}\r\n`;
  for (const [name, value] of headers) if (!own.has(name)) head += `${name}: ${value}\r\n`;
  head += dateField(dateMs);
  head += framingField(framing);
  // HTTP/1.1 connections persist unless said otherwise, HTTP/1.0 ones the other way round.
  if (!keepAlive) head += "connection: close\r\n";
  else if (minorVersion === 0) head += "connection: keep-alive\r\n";
  return `${head}\r\n`;
}
