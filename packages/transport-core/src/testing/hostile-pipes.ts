// A stream layer within this process whose connections behave as badly as the contract of
// StreamLayer allows: they cut and join what is written at random, so that chunks end inside frames,
// report `drained` late and often, and lose a random part of what is on its way if an end destroys
// them. The title of the case is the seed, so that a case meets the same behavior in every run.

import { type Random, TransportError } from '@trunkline/transport-core';
import type { StreamConnection, StreamLayer, StreamSink } from '@trunkline/transport-core/backend';
import { seededRandom } from '@trunkline/transport-core/testing';

/** Creates layers that reach each other, with addresses 'pipe-1', 'pipe-2' and so on. */
export class HostilePipes {
  readonly #random: Random;
  readonly #listeners = new Map<string, (connection: StreamConnection) => void>();
  readonly #open = new Set<PipeEnd>();
  #made = 0;

  constructor(title: string) {
    this.#random = seededRandom(seedOf(title));
  }

  layer(): StreamLayer {
    const address = `pipe-${++this.#made}`;
    return {
      listen: async (accept) => void this.#listeners.set(address, accept),
      dial: async (to) => this.#connect(address, to),
      localAddr: () => {
        if (this.#listeners.has(address)) return address;
        throw new TransportError('failed_precondition', 'this layer does not listen');
      },
      advertiseAddr: () => address,
      close: async () => void this.#listeners.delete(address),
    };
  }

  /** Returns true while a connection has bytes or events for an end that reads. */
  isBusy(): boolean {
    for (const end of this.#open) if (end.isBusy) return true;
    return false;
  }

  #connect(from: string, to: string): StreamConnection {
    const accept = this.#listeners.get(to);
    if (accept === undefined)
      throw new TransportError('unavailable', `nobody listens at ${to}`, {
        reason: 'connection_refused',
        target: to,
        sent: false,
      });
    const [here, there] = [to, from].map(
      (endpoint) => new PipeEnd(endpoint, this.#random, this.#open),
    ) as [PipeEnd, PipeEnd];
    here.other = there;
    there.other = here;
    accept(there);
    return here;
  }
}

class PipeEnd implements StreamConnection {
  other!: PipeEnd;
  readonly endpoint: string;
  readonly #random: Random;
  readonly #open: Set<PipeEnd>;
  #sink: StreamSink | undefined;
  /** What the other end has written and this end has not read, and how many bytes that is. */
  readonly #unread: Uint8Array[] = [];
  #size = 0;
  /** The end of the connection, which follows the unread bytes. */
  #last: 'end' | 'cut' | undefined;
  #isPaused = false;
  #isScheduled = false;
  /** True from a `write` that returned false until `drained`. */
  #isBlocked = false;
  #isClosing = false;
  #isNew = true;
  #isOver = false;

  constructor(endpoint: string, random: Random, open: Set<PipeEnd>) {
    this.endpoint = endpoint;
    this.#random = random;
    this.#open = open;
    open.add(this);
  }

  get isBusy(): boolean {
    return this.#isScheduled || (this.#isBlocked && this.other.#size <= WINDOW / 2);
  }

  attach(sink: StreamSink): void {
    this.#sink = sink;
    this.#schedule();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#isOver || this.#isClosing) return true;
    if (this.#isBlocked) throw new Error('a chunk was written before `drained`');
    this.other.#take(chunk.slice());
    const mayBeLate = this.#isNew || chunk.length > SHORT;
    this.#isNew = false;
    this.#isBlocked = this.other.#size > WINDOW || (mayBeLate && this.#random() < 0.3);
    if (this.#isBlocked) this.#drainLater();
    return !this.#isBlocked;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#schedule();
  }

  close(): void {
    if (this.#isOver || this.#isClosing) return;
    this.#isClosing = true;
    this.other.#finish('end');
    later(() => this.#end(undefined));
  }

  destroy(error?: TransportError): void {
    if (this.#isOver) return;
    this.other.#finish('cut');
    this.#end(error);
  }

  #take(chunk: Uint8Array): void {
    if (this.#isOver) return;
    this.#unread.push(chunk);
    this.#size += chunk.length;
    this.#schedule();
  }

  #finish(how: 'end' | 'cut'): void {
    if (this.#isOver || this.#last === 'cut') return;
    this.#last = how;
    if (how === 'cut') this.#lose(this.#isPaused ? 0 : Math.floor(this.#random() * this.#size));
    this.#schedule();
  }

  /** Drops the unread bytes after the first `kept` ones. */
  #lose(kept: number): void {
    const rest = this.#cut(kept);
    this.#unread.length = 0;
    if (rest.length > 0) this.#unread.push(rest);
    this.#size = rest.length;
  }

  #schedule(): void {
    const waits =
      this.#last === 'cut' || (!this.#isPaused && (this.#size > 0 || this.#last !== undefined));
    if (this.#isScheduled || this.#isOver || this.#sink === undefined || !waits) return;
    this.#isScheduled = true;
    later(() => {
      this.#isScheduled = false;
      this.#deliver();
    });
  }

  /** Passes on some of the unread bytes, in chunks of random length. */
  #deliver(): void {
    while (this.#size > 0 && !this.#isPaused && !this.#isOver && !this.#isClosing) {
      this.#sink?.data(this.#cut(this.#lengthOfChunk()));
      if (this.other.#isBlocked) this.other.#drainLater();
    }
    if (this.#last === 'cut' && this.#isPaused) this.#lose(0);
    if (this.#size === 0 && this.#last === 'cut')
      this.#end(new TransportError('unavailable', 'the pipe was cut', { reason: 'reset' }));
    else if (this.#size === 0 && this.#last === 'end' && !this.#isPaused) this.#end(undefined);
    else this.#schedule();
  }

  #lengthOfChunk(): number {
    const draw = this.#random();
    if (this.#size > LARGE || draw < 0.3) return this.#size;
    return Math.ceil(this.#random() * (draw < 0.6 ? 8 : this.#size));
  }

  /** Removes the first `length` unread bytes and returns them. */
  #cut(length: number): Uint8Array {
    const first = this.#unread[0] ?? EMPTY;
    const wanted = Math.min(length, this.#size, MOST);
    this.#size -= wanted;
    if (first.length > wanted) {
      this.#unread[0] = first.subarray(wanted);
      return first.slice(0, wanted);
    }
    const chunk = new Uint8Array(wanted);
    for (let at = 0; at < wanted; ) {
      const next = this.#unread.shift() ?? EMPTY;
      const part = next.subarray(0, wanted - at);
      chunk.set(part, at);
      at += part.length;
      if (part.length < next.length) this.#unread.unshift(next.subarray(part.length));
    }
    return chunk;
  }

  /** Calls `drained` one turn after the other end has read enough. */
  #drainLater(): void {
    if (this.other.#size > WINDOW / 2) return; // The other end calls this again when it reads.
    later(() => {
      if (this.#isOver || this.#isClosing || !this.#isBlocked) return;
      if (this.other.#size > WINDOW / 2) return;
      this.#isBlocked = false;
      this.#sink?.drained();
    });
  }

  #end(error: TransportError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#open.delete(this);
    this.#unread.length = this.#size = 0;
    this.#sink?.closed(error);
  }
}

/** Returns a seed for a title (FNV-1a). */
function seedOf(title: string): number {
  let seed = 0x811c_9dc5;
  for (let i = 0; i < title.length; i++) seed = Math.imul(seed ^ title.charCodeAt(i), 0x0100_0193);
  return seed;
}

/** Calls `run` in a later turn of the event loop. */
function later(run: () => void): void {
  setImmediate(run);
}

const EMPTY = new Uint8Array(0);
/** The unread bytes beyond which a writer blocks. */
const WINDOW = 256 * 1024;
/**
 * The longest chunk that is always taken at once, unless it is the first: cases let 10 s pass in one
 * step between two PINGs, and then a late `drained` would be too late.
 */
const SHORT = 32;
/** The unread bytes from which chunks are as long as possible, and the longest chunk. */
const LARGE = 64 * 1024;
const MOST = 256 * 1024;
