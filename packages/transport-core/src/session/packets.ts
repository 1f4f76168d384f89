// Incoming packets: the pipe's account, the checks on the first packet of a long message, and the
// messages that packets add up to (docs/wire-protocol.md §5, §6).
//
// Owns the account and the window of the pipe, and each incomplete message. The callers and callees
// report messages and packets to it. It gives credit back through the batch, reports violations,
// and sends a PING when it measures the line. Tested in assembly.test.ts, pipe.test.ts,
// payload-retainer.test.ts and chunks.test.ts.

import { stackless, type TransportError } from '../errors.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import { Account, EMPTY, type Frame, inboxCost, UNIT } from '../wire/frame.ts';
import * as Kind from '../wire/kind.ts';
import { type Batch, ReceiveAccount } from './batch.ts';
import { PipeWindow } from './credit.ts';
import { type MessageOwner, UnfinishedMessage } from './memory.ts';
import type { Liveness, SessionContext } from './session-context.ts';

/** The messages and packets of the peer, as one connection receives them. */
export class IncomingPackets {
  /**
   * The account of the packets of long messages and items; credit is given back as they are read.
   */
  readonly pipe: ReceiveAccount;
  /** The window of the pipe: the number of bytes that the sender may have in flight. */
  readonly window: PipeWindow;
  /** The time at which the last packet of a long message or an item arrived. */
  lastPacket: number;
  /**
   * The last time at which credit of the pipe was given back only because `PROMPT` had passed,
   * regardless of the amount owed.
   */
  #credited: number;
  readonly #context: SessionContext;
  readonly #batch: Batch;
  readonly #liveness: Liveness;
  /** Learns of each chunk before and after it is read. Undefined if frames own their payloads. */
  readonly retainer: PayloadRetainer | undefined;

  constructor(
    context: SessionContext,
    batch: Batch,
    liveness: Liveness,
    retainer: PayloadRetainer | undefined,
  ) {
    this.#context = context;
    this.#batch = batch;
    this.#liveness = liveness;
    this.retainer = retainer;
    const { pipe, pipeMax } = context.limits.credit;
    this.pipe = new ReceiveAccount(batch, Account.PIPE, pipe);
    this.window = new PipeWindow(pipe, pipeMax);
    this.lastPacket = this.#credited = context.now;
  }

  /**
   * Extends the timeouts by `lateness` milliseconds, in which packets may have arrived unread; see
   * `Session.excuse`.
   */
  excuse(lateness: number): void {
    this.lastPacket += lateness;
    this.window.excuse();
  }

  /**
   * Abandons the incomplete messages if neither a packet nor an item has arrived for too long.
   * Returns the next time at which this must be checked.
   */
  wake(now: number): number {
    const { usage } = this.#context;
    if (usage.unfinished === 0) return Number.POSITIVE_INFINITY;
    const stale = this.lastPacket + STALLED;
    if (stale > now) return stale;
    for (const { owner } of [...usage.assemblies]) owner.stopped();
    return Number.POSITIVE_INFINITY;
  }

  /**
   * Returns the payload in a form that its reader may keep. Without a retainer, the payload is all
   * of `bytes`, as FrameCollector makes it.
   */
  keep(frame: Frame): Uint8Array {
    return this.retainer === undefined ? frame.bytes : this.retainer.keep(frame);
  }

  /**
   * Checks the size of a packet, charges it to the pipe, and gives its cost back whatever the
   * application does. Returns false after a violation, which has then been reported.
   */
  packet(frame: Frame): boolean {
    if (!this.#fits(frame)) return false;
    const cost = frame.length + frame.metadataSize + UNIT;
    if (!this.pipe.spend(cost)) {
      this.#context.violation('a packet arrived without pipe credit');
      return false;
    }
    const { now } = this.#context;
    this.lastPacket = now;
    const isDue = now >= this.#credited + PROMPT;
    if (isDue) this.#credited = now;
    this.pipe.giveBack(this.window.giveBack(cost, now, isDue ? cost : 0), isDue, this.window.spare);
    this.#context.grow(this.window.granted - this.#context.limits.credit.pipe);
    if (this.window.wantsRound(now) && !this.#liveness.asks) {
      this.ping(now);
      this.window.begin(now);
    }
    return true;
  }

  /** Sends a PING; none may be outstanding. */
  ping(now: number): void {
    this.#batch.control(Kind.PING, this.#liveness.ping(now));
  }

  /**
   * Checks a frame that is a complete message, and tells the window of the pipe about it, unless it
   * is an ITEM. Returns false after a violation.
   */
  short(frame: Frame): boolean {
    if (this.window.calmRounds > 0 && frame.kind !== Kind.ITEM) this.window.short();
    return this.#fits(frame);
  }

  #fits({ length }: Frame): boolean {
    const { packet } = this.#context.terms;
    if (length <= packet) return true;
    const text = `a packet of ${length} bytes is above the agreed limit of ${packet}`;
    this.#context.violation(text, 'too_large');
    return false;
  }

  /**
   * Checks the first packet of a long message or item, and charges the packet to the pipe and the
   * whole message to `account`, if an account pays for it. Returns false after a violation.
   */
  long(frame: Frame, account?: ReceiveAccount): boolean {
    const { kind, size, length } = frame;
    const name = kind === Kind.ITEM ? 'item' : 'message';
    const limit = this.#context.limits[name];
    if (size <= length || length !== this.#context.terms.packet) {
      this.#context.violation(`a message of ${size} bytes began with a packet of ${length} bytes`);
    } else if (size > limit) {
      const text = `a message of ${size} bytes is above our limits.${name}, ${limit}`;
      this.#context.violation(text, 'too_large');
    } else if (account?.spend(kind === Kind.ITEM ? longCost(frame) : priceOf(frame)) === false) {
      this.#context.violation(`a message of ${size} bytes arrived without credit of its account`);
    } else return this.packet(frame);
    return false;
  }

  /**
   * Begins a long message or item of a call with its first packet, which was checked. If
   * `limits.memory` is exceeded, this refuses unfinished messages, maybe this one, or ends the
   * connection.
   * @param isKept false if it is no longer wanted: its packets are counted and dropped.
   */
  begin(frame: Frame, call: Receiver, isKept: boolean): void {
    this.#context.wakeBy(this.lastPacket + STALLED);
    call.assemble(new Assembly(this.#context, frame, isKept, call));
    this.#context.usage.makeRoom();
  }
}

/** A call, which receives at most one long message or item at a time. */
export interface Receiver extends MessageOwner {
  assemble(assembly: Assembly): void;
}

/**
 * Assembles the packets of an incoming long message. Memory accounts are charged for the bytes that
 * have arrived, not for the announced size. As long as the transport has allocated little memory
 * ahead of arrival, a message has one buffer of its whole size. Otherwise, its memory grows piece
 * by piece, and the pieces are joined at the end.
 */
export class Assembly extends UnfinishedMessage {
  readonly size: number;
  /** The charge of an item to its account, given back when it is used or discarded. */
  readonly cost: number;
  readonly isItem: boolean;
  readonly #context: SessionContext;
  #isKept: boolean;
  /** The pieces that are full, in order. */
  #full: Uint8Array[] | undefined = undefined;
  /** The piece into which packets are written, and the number of its bytes in use. */
  #piece: Uint8Array = EMPTY;
  #used = 0;
  /** The memory into which the next packet is read. */
  #room: Uint8Array | undefined = undefined;

  /**
   * Begins a message with its first packet, whose size was checked.
   * @param keep false if the message is no longer wanted: its packets are counted and dropped.
   */
  constructor(context: SessionContext, frame: Frame, keep: boolean, owner: MessageOwner) {
    super(owner, frame.length);
    this.#context = context;
    this.size = frame.size;
    this.cost = longCost(frame);
    this.isItem = frame.kind === Kind.ITEM;
    this.#isKept = keep;
    if (!keep) return;
    this.#piece = this.#next(0, this.got);
    this.#piece.set(frame.payload);
    this.#used = this.got;
    context.usage.begins(this, this.got, this.#free);
  }

  /**
   * Returns the complete message, which then belongs to the caller, and releases its memory charge;
   * undefined if its packets were only counted.
   */
  take(): Uint8Array | undefined {
    if (!this.#isKept) return undefined;
    this.release();
    const last = this.#piece;
    if (this.#full === undefined) return last;
    const message = this.#context.allocate(this.size);
    let at = 0;
    for (const piece of this.#full) {
      message.set(piece, at);
      at += piece.length;
      this.#giveBack(piece);
    }
    message.set(last, at);
    this.#giveBack(last);
    return message;
  }

  /**
   * Returns the memory for the next packet if a packet of this length may come next and is kept.
   * Bytes read there need not be copied. `drop` may free it, so ask again for each chunk.
   */
  room(length: number): Uint8Array | undefined {
    if (!this.#isKept || length !== this.#due) return undefined;
    this.#reach(length);
    return (this.#room = this.#piece.subarray(this.#used, this.#used + length));
  }

  /** Adds a packet. Returns false if its length is not that of the next packet. */
  add(packet: Uint8Array): boolean {
    const { length } = packet;
    if (length !== this.#due) return false;
    if (this.#isKept) {
      // Compared by identity, because asking an array for its memory is a call into the engine.
      if (packet !== this.#room) {
        this.#reach(length);
        this.#piece.set(packet, this.#used);
      }
      this.#used += length;
      this.#context.usage.comes(length);
    }
    this.#room = undefined;
    this.got += length;
    return true;
  }

  /**
   * Adds a packet, and reports one that does not fit. Returns true if the message is complete;
   * otherwise, the message may have been refused to make room.
   */
  receive({ id, payload }: Frame): boolean {
    if (!this.add(payload))
      this.#context.violation(`the packets of a message of call ${id} do not match its size`);
    else if (this.got === this.size) return true;
    else this.#context.usage.makeRoom();
    return false;
  }

  /** Releases the memory charge, because the bytes were handed over or dropped. */
  release(): void {
    if (!this.#isKept) return;
    this.#isKept = false;
    this.#context.usage.ends(this, this.got, this.#free);
  }

  /**
   * Drops what has arrived; packets that still arrive are only counted. The memory is freed or
   * reused immediately, because a peer can make this end drop messages faster than the garbage
   * collector runs.
   */
  drop(): void {
    if (!this.#isKept) return;
    this.release();
    for (const piece of this.#full ?? []) this.#giveBack(piece);
    this.#giveBack(this.#piece);
    this.#full = this.#room = undefined;
    this.#piece = EMPTY;
  }

  /** The length of the next packet: a full one, or the rest of the message. */
  get #due(): number {
    return Math.min(this.#context.terms.packet, this.size - this.got);
  }

  /** Bytes that were allocated ahead of their arrival. */
  get #free(): number {
    return this.#piece.length - this.#used;
  }

  /** Begins another piece if a packet of this length does not fit into the present one. */
  #reach(length: number): void {
    if (length <= this.#free) return;
    // The piece is full: all packets but the last have one length, and pieces are multiples of it.
    this.#full ??= [];
    this.#full.push(this.#piece);
    this.#piece = this.#next(this.got, length);
    this.#used = 0;
    this.#context.memory.reserve(this.#piece.length);
  }

  /**
   * Releases a piece of a message. A piece as long as a whole message would fit few other messages.
   */
  #giveBack(piece: Uint8Array): void {
    const { memory, terms, freeMemory } = this.#context;
    if (piece.length > PIECE * terms.packet || !memory.spares(piece)) freeMemory(piece);
  }

  /**
   * Returns memory that begins with a packet of `length` bytes, after `arrived` bytes of the
   * message. A message that begins gets all of its memory as long as the transport has allocated
   * little ahead of arrival and the message fits within `limits.memory`. Otherwise, it gets a piece
   * for a few packets: two, or at most as many as have arrived. Memory that is never written has a
   * cost, too: the garbage collector counts it, not every system overcommits, and recycled memory
   * already occupies its pages. So if the transport has allocated much ahead of arrival, the piece
   * has room for this packet alone, unless a spare one is longer.
   *
   * Pieces have one, two, four or eight packets, so that freed ones fit others and the heap hardly
   * fragments. Therefore, a message that began in pieces never gets its whole rest at once: the
   * holes that such blocks left in the heap made the process larger by up to 230 MiB than what it
   * held.
   */
  #next(arrived: number, length: number): Uint8Array {
    const { memory, allocate, terms } = this.#context;
    const rest = this.size - arrived;
    let size = rest;
    if (arrived > 0 || !memory.mayReserve(rest - length) || memory.used + rest > memory.limit) {
      size = PIECE * terms.packet;
      while (size > Math.min(rest, Math.max(arrived, 2 * length))) size >>= 1;
      size = Math.max(size, length);
    }
    let piece = memory.takeSpare(size);
    if (piece === undefined && !memory.mayReserve(size - length)) {
      size = length;
      piece = memory.takeSpare(size);
    }
    return piece ?? allocate(size);
  }
}

/**
 * Returns the cost of a REQUEST or ONEWAY on the inbox account, which is charged with its first
 * packet.
 */
export function priceOf(frame: Frame): number {
  return inboxCost(frame.kind === Kind.ONEWAY, longCost(frame));
}

/** Returns the bytes of a message and UNIT: the cost of an item, charged with its first packet. */
export function longCost(frame: Frame): number {
  return Math.max(frame.size, frame.length) + frame.metadataSize + UNIT;
}

/** Returns the error for a message of this announced size, if its codec accepts less. */
export function aboveCodec(
  method: ProtocolMethod,
  what: 'request' | 'response',
  size: number,
  sent?: boolean,
): TransportError | undefined {
  const { limit, name } = method[what]!;
  if (limit === undefined || size <= limit) return undefined;
  const message = `${method.full}: a ${what} of ${size} bytes is above ${limit}, the limit of its codec here (${name})`;
  return stackless('resource_exhausted', message, { reason: 'too_large', sent });
}

/**
 * Duration, in milliseconds, without a packet of a long message or an item on the connection after
 * which its incomplete messages are abandoned.
 */
const STALLED = 10_000;
/**
 * Duration, in milliseconds, within which some credit for arriving packets is returned to their
 * sender. A sender without credit for the pipe disconnects after 10 s.
 */
const PROMPT = 3_000;
/** Maximum number of packets in one piece of a message that is not allocated as a whole. */
const PIECE = 8;

// Makes payloads safe for their readers to keep. A small payload would pin the large chunk that it
// came in, so it is copied together with the payloads behind it. Copying a piece of the chunk costs
// hardly more than copying one payload, because an allocation above 64 bytes takes 0.3 to 0.6 µs. A
// larger payload shares the chunk's memory, unless the next chunk is read into the same memory.

/** Copies payloads if a view would keep too much memory alive. */
export class PayloadRetainer {
  readonly #allocate: (size: number) => Uint8Array;
  readonly #copies: boolean;
  /** The chunk that is being read. */
  #read: Uint8Array = EMPTY;
  /** The memory of the last payload: that chunk, or a buffer for frames that straddle chunks. */
  #bytes: Uint8Array = EMPTY;
  /** Payloads of at least this many bytes share the memory instead of being copied. */
  #shared = 0;
  /**
   * The memory that was last shared with a payload. The decoder delivers the frame that began in an
   * earlier chunk before the chunk's own frames; so if any payload shares the chunk, it is this.
   */
  #lent: Uint8Array = EMPTY;
  /** A piece of memory with a copy of `bytes[#from … #to)`. */
  #piece: ArrayBufferLike = EMPTY.buffer;
  #from = 0;
  #to = 0;
  /**
   * The number of bytes of this chunk that readers kept. If readers keep few bytes, few are copied
   * ahead, unless most of the last chunk was kept.
   */
  #kept = 0;
  #keepsMost = false;

  /**
   * @param copies true if all chunks arrive in the same memory, so that payloads never share it.
   */
  constructor(allocate: (size: number) => Uint8Array, copies = false) {
    this.#allocate = allocate;
    this.#copies = copies;
  }

  /** Called before a chunk is read. */
  open(chunk: Uint8Array): void {
    this.#read = chunk;
  }

  /**
   * Returns the same bytes in memory that is not overwritten and that pins no more than 16 KiB or
   * eight times the size of the payload. An empty payload has no memory, so it is not recorded.
   */
  keep(frame: Frame): Uint8Array {
    const { bytes, start, end, length } = frame;
    if (length === 0) return EMPTY;
    if (bytes !== this.#bytes) this.#begin(bytes);
    if (length >= this.#shared) return this.#lend(frame);
    if (start < this.#from || end > this.#to) return this.#copy(bytes, start, end);
    this.#kept += length;
    return new Uint8Array(this.#piece, start - this.#from, length);
  }

  /**
   * Called after a chunk was read; drops all references, so an idle connection holds no memory.
   * Returns true if no payload shares the chunk.
   */
  clear(): boolean {
    const isDone = this.#read !== this.#lent;
    if (this.#bytes !== EMPTY) {
      this.#keepsMost = this.#kept > this.#read.length >> 1;
      this.#begin(EMPTY);
    }
    this.#read = this.#lent = EMPTY;
    return isDone;
  }

  /**
   * Called only when the memory of the payloads changes, because finding out how much memory they
   * would pin takes a call into the engine.
   */
  #begin(bytes: Uint8Array): void {
    this.#bytes = bytes;
    const pinned = bytes.buffer.byteLength;
    this.#shared =
      this.#copies && bytes === this.#read
        ? Number.POSITIVE_INFINITY
        : pinned <= PINNED
          ? 0
          : pinned >> 3;
    this.#piece = EMPTY.buffer;
    this.#from = this.#to = this.#kept = 0;
  }

  #lend(frame: Frame): Uint8Array {
    if (this.#lent !== frame.bytes) this.#lent = frame.bytes;
    return frame.payload;
  }

  /**
   * Copies a payload and some of the bytes after it. If the chunk is small, the copy includes all
   * remaining bytes, because one message may pin that much memory.
   */
  #copy(bytes: Uint8Array, start: number, end: number): Uint8Array {
    const more =
      bytes.length <= PINNED || this.#keepsMost ? PINNED : Math.min(PINNED, this.#kept * AHEAD);
    const to = Math.min(bytes.length, Math.max(end, start + more));
    this.#kept += end - start;
    if (to - start <= ON_HEAP) return bytes.slice(start, end);
    const piece = this.#allocate(to - start);
    piece.set(bytes.subarray(start, to));
    this.#piece = piece.buffer;
    this.#from = start;
    this.#to = to;
    return end === to ? piece : new Uint8Array(piece.buffer, 0, end - start);
  }
}

/** Maximum size, in bytes, of a buffer that any of its messages may pin. */
const PINNED = 16 * 1024;
/**
 * The size of a copied piece, as a multiple of the bytes that readers have kept of the chunk so
 * far.
 */
const AHEAD = 4;
/**
 * Maximum size, in bytes, of an array that Node and browsers with V8 keep in the JavaScript heap,
 * where it costs next to nothing.
 */
const ON_HEAP = 64;
