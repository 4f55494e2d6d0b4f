/** Arrays of struct pollfd and struct epoll_event (poll(2), epoll_ctl(2)). */
import { Struct } from "../libc";

const POLL_SIZE = 8;
const POLL_EVENTS = 4;
const POLL_RESULTS = 6;
/** struct epoll_event is packed on x86-64 only. */
const EPOLL_DATA = process.arch === "x64" ? 4 : 8;
const EPOLL_SIZE = EPOLL_DATA + 8;

export interface PollEntry {
  readonly fd: number;
  readonly events: number;
}

export function encodePoll(entries: readonly PollEntry[]): Struct {
  const struct = new Struct(Math.max(1, entries.length) * POLL_SIZE);
  entries.forEach(({ fd, events }, index) => {
    struct.view.setInt32(index * POLL_SIZE, fd, true);
    struct.view.setInt16(index * POLL_SIZE + POLL_EVENTS, events, true);
  });
  return struct;
}

/** What the kernel answered for each of the first `count` entries. */
export function pollResults(struct: Struct, count: number): number[] {
  return Array.from({ length: count }, (_, index) =>
    struct.view.getUint16(index * POLL_SIZE + POLL_RESULTS, true),
  );
}

export interface EpollEvent {
  readonly events: number;
  readonly data: bigint;
}

export function encodeEpoll({ events, data }: EpollEvent): Struct {
  const struct = epollRoom(1);
  struct.view.setUint32(0, events, true);
  struct.view.setBigUint64(EPOLL_DATA, data, true);
  return struct;
}

/** Room for `count` events. */
export function epollRoom(count: number): Struct {
  return new Struct(Math.max(1, count) * EPOLL_SIZE);
}

export function decodeEpoll(struct: Struct, count: number): EpollEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    events: struct.view.getUint32(index * EPOLL_SIZE, true),
    data: struct.view.getBigUint64(index * EPOLL_SIZE + EPOLL_DATA, true),
  }));
}
