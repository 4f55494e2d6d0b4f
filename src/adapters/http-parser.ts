/** HTTP/1.x requests out of bytes, by llhttp. */
import { HTTPParser } from "node:_http_common";
import { RequestBody } from "./request-body";

/** llhttp's method numbers. */
const methods: readonly (string | undefined)[] = [
  "DELETE",
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "CONNECT",
  "OPTIONS",
  "TRACE",
];
const METHOD_PATCH = 28;

/** A request whose headers have come; its body may still be coming. */
export interface RequestMessage {
  readonly method: string;
  readonly url: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** The 1 of HTTP/1.1. */
  readonly minorVersion: number;
  readonly keepAlive: boolean;
  readonly body: RequestBody;
  /** Answer with this status and close, instead of asking the handler. */
  readonly refusal: number | undefined;
}

export interface HttpLimits {
  /** All header fields of a request together; above: 431. */
  readonly headerBytesMax: number;
  readonly headerCountMax: number;
}

/** Status for what the parser refuses (RFC 9110 section 15.5, RFC 6585 section 5). */
function refusalOf(code: string): number {
  return code === "HPE_HEADER_OVERFLOW" ? 431 : 400;
}

export class HttpRequestParser {
  readonly #parser = new HTTPParser();
  readonly #limits: HttpLimits;
  readonly #started: (message: RequestMessage) => void;
  #headers: string[] = [];
  #body: RequestBody | undefined;
  #stopped = false;

  /** `started` is called for each request as soon as its headers are complete. */
  constructor(limits: HttpLimits, started: (message: RequestMessage) => void) {
    this.#limits = limits;
    this.#started = started;
    const parser = this.#parser;
    parser.initialize(HTTPParser.REQUEST, {}, limits.headerBytesMax, 0);
    parser[HTTPParser.kOnHeaders] = (headers: string[]) => {
      this.#headers.push(...headers);
    };
    parser[HTTPParser.kOnHeadersComplete] = this.#headersComplete;
    parser[HTTPParser.kOnBody] = (bytes: Uint8Array) => this.#body?.append(bytes);
    parser[HTTPParser.kOnMessageComplete] = () => {
      this.#body?.end();
      this.#body = undefined;
    };
  }

  /** True while a request's body is incomplete. */
  get inBody(): boolean {
    return this.#body !== undefined;
  }

  /** Takes bytes; what is wrong with them arrives as a message with a refusal, the last one. */
  execute(bytes: Uint8Array): void {
    if (this.#stopped) return;
    const result = this.#parser.execute(bytes);
    if (typeof result !== "number") this.#refuse(refusalOf(result.code));
  }

  /** The peer ended its direction or is gone: an unfinished body fails. */
  finish(error: Error): void {
    this.#stopped = true;
    this.#body?.fail(error);
    this.#body = undefined;
    this.#parser.close();
  }

  #refuse(refusal: number): void {
    this.#stopped = true;
    this.#body?.fail(new Error("the rest of the request could not be understood"));
    const body = new RequestBody();
    body.end();
    this.#started({
      method: "GET",
      url: "/",
      headers: [],
      minorVersion: 1,
      keepAlive: false,
      body,
      refusal,
    });
  }

  readonly #headersComplete = (
    major: number,
    minor: number,
    headers: string[] | undefined,
    method: number,
    url: string,
    _status: number | undefined,
    _statusText: string | undefined,
    _upgrade: boolean,
    keepAlive: boolean,
  ): number => {
    const all = this.#headers.length === 0 ? (headers ?? []) : this.#headers.concat(headers ?? []);
    this.#headers = [];
    const name = method === METHOD_PATCH ? "PATCH" : methods[method];
    let refusal: number | undefined;
    if (major !== 1) refusal = 505;
    else if (all.length / 2 > this.#limits.headerCountMax) refusal = 431;
    else if (name === undefined || name === "CONNECT" || name === "TRACE") refusal = 501;
    this.#body = new RequestBody();
    this.#started({
      method: name ?? "GET",
      url,
      headers: all,
      minorVersion: minor,
      keepAlive,
      body: this.#body,
      refusal,
    });
    return 0;
  };
}
