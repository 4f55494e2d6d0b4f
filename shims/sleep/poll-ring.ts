/**
 * A small io_uring that watches one descriptor: when it turns readable the kernel itself writes a
 * byte to another one (POLL_ADD linked to WRITE, io_uring_enter(2)). No thread waits for it.
 */
import { ERRNO_EIO } from "../../assembly/layout";
import {
  close,
  ioUringEnter,
  ioUringSetup,
  MAP_POPULATE,
  MAP_SHARED,
  mmap,
  munmap,
  POLLIN,
  Struct,
  viewOf,
} from "../libc";

const ENTRIES = 8;
const PARAMETERS_SIZE = 120;
const PAGE_SUBMISSIONS = 0x10000000;
const SUBMISSION_SIZE = 64;
const COMPLETION_SIZE = 16;

// struct io_uring_params: entry counts, then the offsets of the fields in the mapping.
const COMPLETION_ENTRIES = 4;
const SUBMISSION_TAIL = 44;
const SUBMISSION_MASK = 48;
const SUBMISSION_ARRAY = 64;
const COMPLETION_HEAD = 80;
const COMPLETION_TAIL = 84;
const COMPLETION_MASK = 88;
const COMPLETION_PLACES = 100;

const OPERATION_POLL_ADD = 6;
const OPERATION_POLL_REMOVE = 7;
const OPERATION_WRITE = 23;
const LINK = 4;

/** Told back by the completions that do not matter; a watch's own tag is above. */
const TAG_OTHER = 0;

interface Submission {
  readonly operation: number;
  readonly flags?: number;
  readonly fd?: number;
  readonly address?: number;
  readonly length?: number;
  readonly events?: number;
  readonly tag: number;
}

export class PollRing implements Disposable {
  /** A watch is pending in the kernel. */
  armed = false;
  /** The last watch ended by an error of the descriptor, not because it has something to read. */
  failed = false;
  /** The current watch; completions of earlier ones may come late and say nothing. */
  #tag = TAG_OTHER;
  readonly #fd: number;
  readonly #places: DataView;
  readonly #ring: number;
  readonly #ringBytes: number;
  readonly #words: Int32Array;
  readonly #submissions: number;
  readonly #submissionView: DataView;
  readonly #byte = new Struct(8);

  private constructor(fd: number, parameters: Struct, ring: number, submissions: number) {
    this.#fd = fd;
    this.#places = parameters.view;
    this.#ring = ring;
    this.#ringBytes = ringBytes(parameters);
    this.#words = new Int32Array(viewOf(ring, this.#ringBytes));
    this.#submissions = submissions;
    this.#submissionView = new DataView(viewOf(submissions, ENTRIES * SUBMISSION_SIZE));
  }

  /** undefined where the kernel has or allows no io_uring. */
  static open(): PollRing | undefined {
    const parameters = new Struct(PARAMETERS_SIZE);
    const fd = ioUringSetup(ENTRIES, parameters);
    if (fd < 0) return undefined;
    const flags = MAP_SHARED | MAP_POPULATE;
    const ring = mmap(0, ringBytes(parameters), flags, fd, 0);
    const submissions = mmap(0, ENTRIES * SUBMISSION_SIZE, flags, fd, PAGE_SUBMISSIONS);
    if (ring > 0 && submissions > 0) return new PollRing(fd, parameters, ring, submissions);
    if (ring > 0) munmap(ring, ringBytes(parameters));
    close(fd);
    return undefined;
  }

  /** Has one byte written to `target` once `fd` is readable; false when that is not possible. */
  arm(fd: number, target: number): boolean {
    if (this.armed) return true;
    this.armed = true;
    this.#tag = (this.#tag + 1) >>> 0 || 1;
    this.#submit({
      operation: OPERATION_POLL_ADD,
      flags: LINK,
      fd,
      events: POLLIN,
      tag: this.#tag,
    });
    const { address } = this.#byte;
    this.#submit({ operation: OPERATION_WRITE, fd: target, address, length: 1, tag: TAG_OTHER });
    if (ioUringEnter(this.#fd, 2) !== 2) this.armed = false;
    else this.collect();
    // A watch that has ended already was either refused or has its byte under way.
    const taken = this.armed || !this.failed;
    this.failed = false;
    return taken;
  }

  /** Ends the watch; the kernel holds the watched descriptor no longer when this returns. */
  disarm(): void {
    if (!this.armed) return;
    this.#submit({ operation: OPERATION_POLL_REMOVE, address: this.#tag, tag: TAG_OTHER });
    ioUringEnter(this.#fd, 1);
    this.armed = false;
    this.collect();
  }

  /** Takes the completions, so that `armed` and `failed` say how things are. */
  collect(): void {
    const head = this.#word(COMPLETION_HEAD);
    const tail = Atomics.load(this.#words, this.#word(COMPLETION_TAIL));
    const mask = this.#words[this.#word(COMPLETION_MASK)] as number;
    const places = this.#word(COMPLETION_PLACES);
    let index = this.#words[head] as number;
    for (; index !== tail; index = (index + 1) | 0) {
      const at = places + (index & mask) * (COMPLETION_SIZE >> 2);
      if (!this.armed || (this.#words[at] as number) >>> 0 !== this.#tag) continue;
      const result = this.#words[at + 2] ?? -ERRNO_EIO;
      this.armed = false;
      this.failed = result < 0 || (result & POLLIN) === 0;
    }
    Atomics.store(this.#words, head, index);
  }

  [Symbol.dispose](): void {
    this.disarm();
    munmap(this.#ring, this.#ringBytes);
    munmap(this.#submissions, ENTRIES * SUBMISSION_SIZE);
    close(this.#fd);
  }

  /** Word index of the field whose offset stands at `parameter`. */
  #word(parameter: number): number {
    return this.#places.getUint32(parameter, true) >> 2;
  }

  /** Writes a submission and publishes it; `ioUringEnter` hands it to the kernel. */
  #submit(submission: Submission): void {
    const words = this.#words;
    const tailAt = this.#word(SUBMISSION_TAIL);
    const tail = words[tailAt] as number;
    const slot = tail & (words[this.#word(SUBMISSION_MASK)] as number);
    const at = slot * SUBMISSION_SIZE;
    const view = this.#submissionView;
    for (let offset = 0; offset < SUBMISSION_SIZE; offset += 4) view.setUint32(at + offset, 0);
    view.setUint8(at, submission.operation);
    view.setUint8(at + 1, submission.flags ?? 0);
    view.setInt32(at + 4, submission.fd ?? -1, true);
    view.setBigUint64(at + 16, BigInt(submission.address ?? 0), true);
    view.setUint32(at + 24, submission.length ?? 0, true);
    view.setUint32(at + 28, submission.events ?? 0, true);
    view.setUint32(at + 32, submission.tag, true);
    words[this.#word(SUBMISSION_ARRAY) + slot] = slot;
    Atomics.store(words, tailAt, (tail + 1) | 0);
  }
}

function ringBytes({ view }: Struct): number {
  const completions = view.getUint32(COMPLETION_ENTRIES, true) * COMPLETION_SIZE;
  return Math.max(
    view.getUint32(SUBMISSION_ARRAY, true) + ENTRIES * 4,
    view.getUint32(COMPLETION_PLACES, true) + completions,
  );
}
