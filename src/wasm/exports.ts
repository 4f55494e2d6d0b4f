/**
 * What the WASM module offers (assembly/index.ts). Every number is an i32, a u32 or an f64; a
 * negative result of an i32 or a token is a negated errno. Addresses above 2 GiB arrive as negative
 * i32 and are made unsigned where they are used.
 */
export interface StackExports {
  /** Carves the pools from the OPEN_… words and the seed in the control page. */
  open(nowUs: number): number;
  attach(
    index: number,
    producer: number,
    consumer: number,
    flags: number,
    descriptors: number,
  ): number;
  gatewaySet(index: number): number;
  neighbourSet(index: number): number;
  /** Takes the 16 bytes at CONTROL_FAST_OPEN_KEY; the key before them stays good for checks. */
  fastOpenKeySet(): void;
  /** Forgets the servers' cookies. */
  fastOpenForget(): void;
  /** One bounded round of the stack; returns the packets received. */
  poll(nowUs: number, budget: number): number;
  /** Sends what operations since the last poll made ready. */
  flush(): void;
  /** Microseconds of the host's clock at which `poll` next has work of its own; or Infinity. */
  nextDeadline(): number;
  /** Resets every connection; the host is about to go. */
  abortAll(): void;
  /** Stores the gauges into the counters. */
  measure(): void;

  socket(kind: number): number;
  bind(qd: number, port: number): number;
  listen(qd: number, backlog: number): number;
  accept(qd: number): number;
  connect(qd: number, port: number): number;
  push(qd: number, frame: number, manner?: number): number;
  pushTo(qd: number, frame: number, port: number): number;
  pop(qd: number, size: number): number;
  close(qd: number): number;
  shutdownRead(qd: number): number;
  shutdownWrite(qd: number): number;
  localAddress(qd: number): number;
  remoteAddress(qd: number): number;
  setOption(qd: number, option: number, value: number): number;
  getOption(qd: number, option: number): number;

  allocate(bytes: number): number;
  release(frame: number): number;
}
