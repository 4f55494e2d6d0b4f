/** Node's binding of llhttp, the parser behind node:http; in Bun it is the same parser. */
declare module "node:_http_common" {
  type HeadersComplete = (
    major: number,
    minor: number,
    headers: string[] | undefined,
    method: number,
    url: string,
    status: number | undefined,
    statusText: string | undefined,
    upgrade: boolean,
    keepAlive: boolean,
  ) => number;
  export class HTTPParser {
    static readonly REQUEST: number;
    static readonly kOnHeaders: number;
    static readonly kOnHeadersComplete: number;
    static readonly kOnBody: number;
    static readonly kOnMessageComplete: number;
    [callback: number]: unknown;
    initialize(type: number, resource: object, headerBytesMax: number, lenient: number): void;
    /** Returns the bytes taken, or an error with a code such as HPE_INVALID_METHOD. */
    execute(bytes: Uint8Array): number | (Error & { code: string });
    close(): void;
  }
}
