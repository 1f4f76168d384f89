// Incoming packets: the pipe's account, and the checks on the first packet of a long message
// (docs/wire-protocol.md §4, §6).

import { Account, type Frame, Kind } from '../wire/frame.ts';
import { GrowingAccount } from './growing-account.ts';
import type { PayloadRetainer } from './payload-retainer.ts';
import { type Creditor, ReceiveAccount } from './receive-account.ts';
import { type SessionContext, UNIT } from './session-context.ts';
import { PipeWindow } from './window.ts';

export class IncomingPackets {
  /**
   * The account of the packets of long messages and items; credit is given back as they are read.
   */
  readonly pipe: ReceiveAccount;
  /** The window of the pipe: how much the sender may have in flight. */
  readonly window: PipeWindow;
  /**
   * The account of long responses; credit is given back when a response is complete and handed
   * over.
   */
  readonly reply: GrowingAccount;
  /** The time at which the last packet of a long message or an item came in. */
  lastPacket: number;
  /**
   * The last time at which credit of the pipe was given back to keep to PROMPT, regardless of the
   * amount owed.
   */
  #credited: number;
  readonly #context: SessionContext;
  readonly #retainer: PayloadRetainer | undefined;
  readonly #ping: () => boolean;

  /**
   * @param retainer undefined if every payload is already a copy.
   * @param ping sends a PING; returns false if one is already outstanding.
   */
  constructor(
    context: SessionContext,
    creditor: Creditor,
    retainer: PayloadRetainer | undefined,
    ping: () => boolean,
  ) {
    this.#context = context;
    this.#retainer = retainer;
    this.#ping = ping;
    const { pipe, pipeMax, reply, replyMax } = context.limits.credit;
    this.pipe = new ReceiveAccount(creditor, Account.PIPE, pipe);
    this.window = new PipeWindow(pipe, pipeMax);
    this.reply = new GrowingAccount(context, creditor, Account.REPLY, reply, replyMax);
    this.lastPacket = this.#credited = context.now;
  }

  /**
   * Moves the timeouts by the `lateness` milliseconds of sleep, in which nothing that arrived was
   * late.
   */
  excuse(lateness: number): void {
    this.lastPacket += lateness;
    this.window.excuse();
  }

  /** Called when the connection is over. */
  end(): void {
    this.reply.end();
  }

  /** Returns the payload in a form that its reader may keep. */
  keep(frame: Frame): Uint8Array {
    return this.#retainer === undefined ? frame.payload : this.#retainer.keep(frame);
  }

  /**
   * Charges a packet to the pipe. Returns false after a violation, which has then been reported.
   */
  packet(frame: Frame): boolean {
    const cost = frame.length + frame.metadataSize + UNIT;
    if (!this.pipe.spend(cost)) {
      this.#context.violation('malformed', 'a packet arrived without pipe credit');
      return false;
    }
    const { now } = this.#context;
    this.lastPacket = now;
    const isDue = now >= this.#credited + PROMPT;
    if (isDue) this.#credited = now;
    this.pipe.giveBack(this.window.giveBack(cost, now, isDue ? cost : 0), isDue, this.window.spare);
    this.#context.grown = this.window.granted - this.#context.limits.credit.pipe;
    if (this.window.wantsRound(now) && this.#ping()) this.window.begin(now);
    return true;
  }

  /** Checks a frame that is a complete message. Returns false after a violation. */
  short(frame: Frame): boolean {
    if (frame.kind !== Kind.ITEM) this.window.short();
    return frame.length <= this.#context.terms.packet || this.#tooLarge(frame);
  }

  #tooLarge(frame: Frame): false {
    this.#context.violation(
      'too_large',
      `a packet of ${frame.length} bytes is above the agreed limit of ${this.#context.terms.packet}`,
    );
    return false;
  }

  /**
   * Checks the first packet of a long message of at most `limit` bytes and charges the message to
   * `account`. Returns false after a violation.
   */
  long(frame: Frame, limit: number, name: string, account: ReceiveAccount): boolean {
    const { size, length } = frame;
    if (size <= length || length !== this.#context.terms.packet) {
      this.#context.violation(
        'malformed',
        `a message of ${size} bytes began with a packet of ${length} bytes`,
      );
    } else if (size > limit) {
      this.#context.violation(
        'too_large',
        `a message of ${size} bytes is above our ${name}, ${limit}`,
      );
    } else if (!account.spend(longCost(frame))) {
      this.#context.violation(
        'malformed',
        `a message of ${size} bytes arrived without credit of its account`,
      );
    } else return this.packet(frame);
    return false;
  }
}

/**
 * Returns the cost of a long message or an item on its own account; all of it is charged with the
 * first packet.
 */
export function longCost(frame: Frame): number {
  return Math.max(frame.size, frame.length) + frame.metadataSize + UNIT;
}

/**
 * Milliseconds within which arriving packets bring back some credit. A sender without credit of the
 * pipe disconnects after 10 s.
 */
const PROMPT = 3_000;
