/** A request's body on its way from the connection to whoever reads the request. */

/** Unread bytes above which the connection should read no more. */
const FULL_BYTES = 256 * 1024;

export class RequestBody {
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;
  #ended = false;
  #discarded = false;
  #error: Error | undefined;
  #waiter: (() => void) | undefined;
  /** Called when the body begins to be read: the time to send 100 Continue. */
  onRead: (() => void) | undefined;
  /** Called when more is unread than the connection should take in. */
  onFull: (() => void) | undefined;
  /** Called when there is room again. */
  onRoom: (() => void) | undefined;

  /** True when every byte has come. */
  get complete(): boolean {
    return this.#ended;
  }

  /** True when the client still waits for the 100 Continue that reading would have sent. */
  get refused(): boolean {
    return this.onRead !== undefined && !this.#ended;
  }

  /** True when the rest will not come: the connection was lost or its bytes make no sense. */
  get failed(): boolean {
    return this.#error !== undefined;
  }

  /** True when there is nothing to read and nothing to come. */
  get empty(): boolean {
    return this.#ended && this.#bytes === 0;
  }

  /** Keeps a copy: the bytes lie in a received frame. */
  append(bytes: Uint8Array): void {
    if (this.#discarded || bytes.length === 0) return;
    this.#chunks.push(new Uint8Array(bytes));
    this.#bytes += bytes.length;
    if (this.#bytes >= FULL_BYTES) this.onFull?.();
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  fail(error: Error): void {
    if (this.#ended) return;
    this.#error = error;
    this.#wake();
  }

  /** Drops what has come and what is to come. */
  discard(): void {
    this.#discarded = true;
    this.#chunks = [];
    this.#bytes = 0;
    this.onRoom?.();
  }

  /** All bytes of a complete body. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes =
      this.#chunks.length === 1 ? (this.#chunks[0] as Uint8Array<ArrayBuffer>) : this.#join();
    this.#chunks = [];
    this.#bytes = 0;
    return bytes;
  }

  /** The body as a stream, read from the connection only as fast as it is read here. */
  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      { pull: (controller) => this.#pull(controller), cancel: () => this.discard() },
      { highWaterMark: 0 },
    );
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.onRead?.();
    this.onRead = undefined;
    while (this.#bytes === 0 && !this.#ended && this.#error === undefined) {
      await new Promise<void>((resolve) => {
        this.#waiter = resolve;
      });
    }
    if (this.#bytes > 0) {
      const wasFull = this.#bytes >= FULL_BYTES;
      controller.enqueue(this.take());
      if (wasFull) this.onRoom?.();
    } else if (this.#error !== undefined) {
      controller.error(this.#error);
    } else {
      controller.close();
    }
  }

  #wake(): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.();
  }

  #join(): Uint8Array<ArrayBuffer> {
    const joined = new Uint8Array(this.#bytes);
    let at = 0;
    for (const chunk of this.#chunks) {
      joined.set(chunk, at);
      at += chunk.length;
    }
    return joined;
  }
}
