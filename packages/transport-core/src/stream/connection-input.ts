// The input of one connection. It owns the data that has arrived and was not read yet, and decides
// when the stream is read: not before the handshake has a slot, not above the receive rate, and in
// each turn only as far as the peer's work units go (transport-resources.ts). It passes the data
// and the other reports of the stream on: to the session, to the output and, at the end, to the
// connection. It calls the session only within a tick. connection-input.test.ts tests the receive
// rate, transport/fair-turns.test.ts the turns, and testing/session/early-cases.ts the slots.

import type { TransportError } from '../errors.ts';
import type { Session } from '../session/session.ts';
import { CHUNK, CHUNK_SHIFT, type SessionContext, UNBOUNDED } from '../session/session-context.ts';
import { plain } from '../text.ts';
import { EMPTY, type Frame } from '../wire/frame.ts';
import type { ConnectionOwner } from './connection-output.ts';
import type { StreamConnection, StreamSink } from './stream-layer.ts';
import type { ScheduledReader, TokenBucket, TransportResources } from './transport-resources.ts';

/** Reads the input of a connection into its session. */
export class ConnectionInput implements StreamSink, ScheduledReader {
  /**
   * The number of bytes that have arrived so far (of frames, only the payloads), without those that
   * wait for a handshake slot; starts at -0 like `ConnectionOutput.bytes`.
   */
  bytes = -0;
  /** True if the stream reuses the memory of its chunks. */
  readonly copies: boolean;
  /** The reason why input is kept: no handshake slot yet, or no units left in this turn. */
  #waits: 'slot' | 'turn' | undefined = undefined;
  /** The time since which it has waited for its turn; `#excuse` moves it. */
  #since = Number.POSITIVE_INFINITY;
  /** The input that is kept. */
  #backlog: Backlog | undefined = undefined;
  /**
   * The number of work units that the peer has used in turn `#turn`, plus the debt from earlier
   * turns. Each new turn reduces the debt by its units.
   */
  #spent = 0;
  #turn = 0;
  /** The number of units that the last read left in `#context.units`. */
  #left = UNBOUNDED;
  /** The token bucket of limits.rate.receive. */
  readonly #rate: TokenBucket | undefined;
  /** The time at which it has filled again and this object needs `wake`; Infinity if it has. */
  due = Number.POSITIVE_INFINITY;
  readonly #stream: StreamConnection;
  readonly #session: Session;
  /** The part of the session that accounts for the peer's work units. */
  readonly #context: SessionContext;
  readonly #transport: TransportResources;
  readonly #connection: ConnectionOwner;

  constructor(connection: ConnectionOwner) {
    const { host, session, stream } = connection;
    this.#connection = connection;
    this.#stream = stream;
    this.#session = session;
    this.copies = stream.reuses === true;
    this.#context = session.parts.context;
    this.#transport = host;
    this.#rate = host.rates.receive.of(stream.nodeId, host.ticker.now());
  }

  /** Reads a chunk. Returns true if no part of it is kept. */
  data(chunk: Uint8Array): boolean {
    if (chunk.length === 0) return this.#empty();
    if (this.#waits === 'slot') return this.#keep(chunk, this.copies);
    const now = this.#transport.ticker.enter();
    try {
      this.bytes += chunk.length;
      const isReading = this.#waits === undefined;
      // A paused stream delivers what it had read before the pause.
      if (!isReading) this.#spend(CHUNK);
      // (All our layers deliver plain arrays.)
      const bytes = chunk.constructor === Uint8Array ? chunk : plain(chunk);
      const isDone = isReading
        ? this.#read(now, bytes, this.copies)
        : this.#keep(bytes, this.copies);
      if (this.#rate !== undefined) this.#readLater(this.#rate.take(chunk.length, now), now);
      return isDone;
    } finally {
      this.#transport.ticker.leave();
    }
  }

  get #isOver(): boolean {
    return this.#session.state === 'closed';
  }

  /** Counts an empty message of the carrier toward a flood. */
  #empty(): true {
    this.#transport.ticker.run(() => {
      this.#spend(CHUNK);
      if (!this.#isOver) this.#context.abused();
    });
    return true;
  }

  frames(batch: readonly Frame[]): void {
    if (this.#waits === 'slot') return this.#kept.addFrames(batch);
    let bytes = 0;
    for (const frame of batch) bytes += frame.length;
    this.bytes += bytes;
    this.#transport.ticker.run((now) => {
      if (this.#waits !== undefined) this.#kept.addFrames(batch);
      else this.#readFrames(now, batch);
      if (this.#rate !== undefined) this.#readLater(this.#rate.take(bytes, now), now);
    });
  }

  drained(): void {
    this.#connection.output.drained();
  }

  revoked(error: TransportError): void {
    this.#transport.ticker.run(() => this.#session.break(error));
  }

  leave(text: string): void {
    this.#transport.ticker.run(() => this.#session.leave('draining', text));
  }

  closed(error?: TransportError): void {
    this.#connection.closed(error);
  }

  /** Pauses reading until the connection has its handshake slot. */
  park(): void {
    this.#waits = 'slot';
    this.#stream.pause();
  }

  /** Called by the acceptor when the slot is free. Does nothing if the input is not parked. */
  unpark(): void {
    if (this.#waits !== 'slot') return;
    const backlog = this.#stopWaiting();
    if (backlog?.frames !== undefined) this.frames(backlog.frames);
    else if (backlog !== undefined) this.data(backlog.bytes);
    this.#resume();
  }

  /** Continues to read, because the connection's turn has come. The scheduler calls this. */
  goOn(): void {
    if (this.#units() === 0) return this.#transport.scheduler.wait(this);
    this.#transport.ticker.run((now) => {
      this.#excuse(now);
      const backlog = this.#stopWaiting();
      if (backlog?.frames !== undefined) this.#readFrames(now, backlog.frames);
      else if (backlog !== undefined) this.#read(now, backlog.bytes, false);
      this.#resume();
    });
  }

  /** Does everything that is due at `now`. */
  wake(now: number): void {
    if (now >= this.due) {
      this.due = Number.POSITIVE_INFINITY;
      this.#resume();
    }
    this.#excuse(now);
  }

  /**
   * Reads the input that waits for its turn, without a limit on its work, because the stream has
   * ended. It is little, because the stream was paused. Input without a handshake slot is dropped.
   */
  finish(now: number): void {
    const backlog = this.#waits === 'turn' ? this.#backlog : undefined;
    this.stop();
    if (backlog === undefined) return;
    this.#context.grant(UNBOUNDED);
    if (backlog.frames !== undefined) this.#session.receiveFrames(now, backlog.frames);
    else this.#session.receive(now, backlog.bytes);
  }

  /** Drops the remaining input, because the session or the stream has ended. */
  stop(): void {
    this.#transport.scheduler.leave(this);
    this.#stopWaiting(); // The session drops whatever still arrives.
  }

  /** @param copies true if what is not read must be copied. */
  #read(now: number, chunk: Uint8Array, copies: boolean): boolean {
    const units = this.#units();
    this.#context.grant(units - CHUNK - (chunk.length >> CHUNK_SHIFT));
    const isDone = this.#session.receive(now, chunk);
    if (this.#isWithin(units)) return isDone;
    this.#wait(now);
    const { unread } = this.#session;
    return unread.length === 0 ? isDone : this.#keep(unread, copies);
  }

  #readFrames(now: number, batch: readonly Frame[]): void {
    const units = this.#units();
    this.#context.grant(units - CHUNK);
    const read = this.#session.receiveFrames(now, batch);
    if (this.#isWithin(units)) return;
    this.#wait(now);
    if (read < batch.length) this.#kept.addFrames(batch.slice(read));
  }

  /**
   * Returns the units that the next chunk may cost; 0 if none are left in this turn. While some are
   * left, a chunk may cost the whole allowance again, and later turns pay for it. So chunks of
   * usual messages are read to their end. Units that were spent since the last chunk was read, such
   * as those of calls that were handed over later, are charged now.
   */
  #units(): number {
    const { number, units, allowance } = this.#transport.scheduler;
    this.#spent = Math.max(this.#spent - (number - this.#turn) * units, 0);
    this.#turn = number;
    const late = this.#left - this.#context.units;
    if (late > 0) {
      this.#left -= late;
      this.#spend(late);
    }
    return this.#spent < allowance ? allowance : 0;
  }

  /**
   * Records the units that were spent out of `units`. Returns true if some are left in this turn,
   * or if the session has ended.
   */
  #isWithin(units: number): boolean {
    const left = (this.#left = this.#context.units);
    this.#spend(units - left);
    return this.#units() > 0 || this.#isOver;
  }

  #spend(units: number): void {
    this.#spent += units;
    this.#transport.scheduler.spend(units, this);
  }

  #wait(now: number): void {
    this.#waits = 'turn';
    this.#since = now;
    this.#stream.pause();
    this.#transport.scheduler.wait(this);
  }

  #stopWaiting(): Backlog | undefined {
    const backlog = this.#backlog;
    this.#waits = this.#backlog = undefined;
    return backlog;
  }

  /** Excuses the peer's silence if its input was not read for a long time. */
  #excuse(now: number): void {
    if (this.#waits !== 'turn') return;
    const waited = now - this.#since;
    // Short waits are not excused, because an excuse spoils the running measurement.
    if (waited < LONG) return;
    this.#session.excuse(waited);
    this.#since = now;
  }

  /**
   * Applies the receive rate: if it is exceeded, nothing is read for a while, and the peer's
   * silence during that time is excused, once: data that was in flight may prolong the wait.
   */
  #readLater(delay: number, now: number): void {
    if (delay === 0 || this.#isOver) return;
    const excused = this.due === Number.POSITIVE_INFINITY ? now : Math.max(this.due, now);
    if (this.due === Number.POSITIVE_INFINITY) this.#stream.pause();
    this.due = Math.max(now + delay, excused);
    this.#session.excuse(this.due - excused);
    this.#context.wakeBy(this.due);
  }

  /** Resumes reading, unless something else prevents it. */
  #resume(): void {
    if (this.#waits === undefined && this.due === Number.POSITIVE_INFINITY) this.#stream.resume();
  }

  #keep(bytes: Uint8Array, copies: boolean): false {
    this.#kept.add(bytes, copies);
    return false;
  }

  /**
   * The backlog, which exists only while it has something. The counter `slowed` counts the waits
   * for a turn in which something had to be kept.
   */
  get #kept(): Backlog {
    if (this.#backlog === undefined) {
      this.#backlog = new Backlog();
      if (this.#waits === 'turn') this.#context.count('slowed', 1);
    }
    return this.#backlog;
  }
}

/** The minimum wait, in milliseconds, for which a peer's silence is excused. */
const LONG = 500;

// Holds the input of a connection that must not be read now, because it has spent its work units of
// this turn or waits for its handshake slot. The input is frames, or bytes in one piece, however
// small their chunks were. The stream is paused in the meantime, so little is added. The input is
// read once and dropped.

/** The unread input of one connection. */
export class Backlog {
  /** The frames, for a connection that carries frames. */
  frames: readonly Frame[] | undefined = undefined;
  /** The first chunk itself, which has no room for more, or a buffer that was allocated here. */
  #bytes: Uint8Array = EMPTY;
  #size = 0;

  /** Everything that was added, valid until the next `add`. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  /** @param copies true if the memory of the chunk will be reused, so the chunk must be copied. */
  add(chunk: Uint8Array, copies: boolean): void {
    if (this.#bytes === EMPTY && !copies) this.#bytes = chunk;
    else {
      this.#reserve(this.#size + chunk.length);
      this.#bytes.set(chunk, this.#size);
    }
    this.#size += chunk.length;
  }

  /** Keeps `batch` itself, without a copy, if it is the first one. */
  addFrames(batch: readonly Frame[]): void {
    this.frames = this.frames === undefined ? batch : [...this.frames, ...batch];
  }

  /**
   * Enlarges the buffer to at least `size` bytes. Doubling keeps the cost of small chunks linear.
   */
  #reserve(size: number): void {
    if (this.#bytes.length >= size) return;
    const bytes = new Uint8Array(this.#size === 0 ? size : size * 2);
    bytes.set(this.bytes);
    this.#bytes = bytes;
  }
}
