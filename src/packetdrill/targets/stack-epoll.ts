/** poll and epoll over the stack's sockets. */
import { ERRNO_EBADF, ERRNO_EEXIST, ERRNO_EINVAL, ERRNO_ENOENT } from "../../../assembly/layout";
import * as linux from "./stack-linux";
import { failure, type KernelSocket, success } from "./stack-socket";
import type { CallResult, EpollEvent, PollEntry } from "./target";

/** Always told, whether asked for or not. */
const UNASKED = linux.POLLERR | linux.POLLHUP;

type Find = (fd: number) => KernelSocket | undefined;

/** What poll would return now; undefined when nothing is ready. */
export function pollNow(entries: readonly PollEntry[], find: Find): CallResult | undefined {
  const revents = entries.map(({ fd, events }) => {
    if (fd < 0) return 0;
    const socket = find(fd);
    if (socket === undefined) return linux.POLLNVAL;
    return socket.poll() & (events | UNASKED);
  });
  const ready = revents.filter((events) => events !== 0).length;
  return ready === 0 ? undefined : { value: ready, errno: 0, revents };
}

interface Interest {
  events: number;
  data: bigint;
  /** Of an edge-triggered interest: what was told last. */
  told: string;
  /** One-shot and told. */
  isSpent: boolean;
}

export class Epoll {
  readonly #interests = new Map<number, Interest>();

  control(operation: number, fd: number, event: EpollEvent): CallResult {
    const known = this.#interests.get(fd);
    const interest = { events: event.events >>> 0, data: event.data, told: "", isSpent: false };
    switch (operation) {
      case linux.EPOLL_CTL_ADD:
        if (known !== undefined) return failure(ERRNO_EEXIST);
        this.#interests.set(fd, interest);
        return success(0);
      case linux.EPOLL_CTL_MOD:
        if (known === undefined) return failure(ERRNO_ENOENT);
        this.#interests.set(fd, interest);
        return success(0);
      case linux.EPOLL_CTL_DEL:
        return this.#interests.delete(fd) ? success(0) : failure(ERRNO_ENOENT);
      default:
        return failure(ERRNO_EINVAL);
    }
  }

  /** A closed descriptor leaves every epoll. */
  forget(fd: number): void {
    this.#interests.delete(fd);
  }

  /** What epoll_wait would return now; undefined when nothing is ready. */
  wait(eventsMax: number, find: Find): CallResult | undefined {
    if (eventsMax < 1) return failure(ERRNO_EINVAL);
    const epollEvents: EpollEvent[] = [];
    for (const [fd, interest] of this.#interests) {
      if (epollEvents.length === eventsMax) break;
      const socket = find(fd);
      if (socket === undefined) return failure(ERRNO_EBADF);
      const events = this.#ready(interest, socket);
      if (events !== 0) epollEvents.push({ events, data: interest.data });
    }
    if (epollEvents.length === 0) return undefined;
    return { value: epollEvents.length, errno: 0, epollEvents };
  }

  #ready(interest: Interest, socket: KernelSocket): number {
    if (interest.isSpent) return 0;
    const events = socket.poll() & (interest.events | UNASKED);
    if ((interest.events & linux.EPOLLET) !== 0) {
      const state = `${events}/${socket.edge}`;
      if (state === interest.told) return 0;
      interest.told = state;
    }
    if (events !== 0 && (interest.events & linux.EPOLLONESHOT) !== 0) interest.isSpent = true;
    return events;
  }
}
