// What comes in packet by packet: the pipe's account and the checks that the first packet of a long message must pass (docs/wire-protocol.md §4, §6).

import { Account, type Frame, Kind } from '../wire/frame.ts';
import { Growing } from './growing.ts';
import { type Link, UNIT } from './link.ts';
import { type Creditor, Receiving } from './receiving.ts';
import type { Shelf } from './shelf.ts';
import { PipeWindow } from './window.ts';

export class Inflow {
  /** Packets of long messages and items; given back as they are read. */
  readonly pipe: Receiving;
  /** How much of it the sender may have on the way. */
  readonly window: PipeWindow;
  /** Long responses; given back when they are complete and handed over. */
  readonly reply: Growing;
  /** When the last packet of anything long came in. */
  lastPacket: number;
  /** When credit of the pipe was last given back on time, whatever was owed. */
  #credited: number;
  readonly #link: Link;
  readonly #shelf: Shelf | undefined;
  readonly #ping: () => boolean;

  /**
   * @param shelf undefined where every payload is a copy already.
   * @param ping sends a PING; false: one is out already.
   */
  constructor(link: Link, creditor: Creditor, shelf: Shelf | undefined, ping: () => boolean) {
    this.#link = link;
    this.#shelf = shelf;
    this.#ping = ping;
    const { pipe, pipeMax, reply, replyMax } = link.limits.credit;
    this.pipe = new Receiving(creditor, Account.PIPE, pipe);
    this.window = new PipeWindow(pipe, pipeMax);
    this.reply = new Growing(link, creditor, Account.REPLY, reply, replyMax);
    this.lastPacket = this.#credited = link.now;
  }

  /** We slept for so long: nothing that came meanwhile is late. */
  excuse(lateness: number): void {
    this.lastPacket += lateness;
    this.window.excuse();
  }

  /** The connection is over. */
  end(): void {
    this.reply.end();
  }

  /** The payload as its reader may keep it. */
  keep(frame: Frame): Uint8Array {
    return this.#shelf === undefined ? frame.payload : this.#shelf.keep(frame);
  }

  /** A packet that the pipe pays for. False: it was a violation, which has been reported. */
  packet(frame: Frame): boolean {
    const cost = frame.length + frame.metadataSize + UNIT;
    if (!this.pipe.spend(cost)) {
      this.#link.violation('malformed', 'a packet came without credit of the pipe');
      return false;
    }
    const { now } = this.#link;
    this.lastPacket = now;
    const isDue = now >= this.#credited + PROMPT;
    if (isDue) this.#credited = now;
    this.pipe.giveBack(this.window.giveBack(cost, now, isDue ? cost : 0), isDue, this.window.spare);
    this.#link.grown = this.window.granted - this.#link.limits.credit.pipe;
    if (this.window.wantsRound(now) && this.#ping()) this.window.begin(now);
    return true;
  }

  /** The payload of a frame that is a message by itself. False: it was a violation. */
  short(frame: Frame): boolean {
    if (frame.kind !== Kind.ITEM) this.window.short();
    return frame.length <= this.#link.terms.packet || this.#tooLarge(frame);
  }

  #tooLarge(frame: Frame): false {
    this.#link.violation('too_large', `a packet of ${frame.length} bytes is above the ${this.#link.terms.packet} agreed`);
    return false;
  }

  /** The first packet of a long message, of at most `limit` bytes, charged to `account`. False: it was a violation. */
  long(frame: Frame, limit: number, name: string, account: Receiving): boolean {
    const { size, length } = frame;
    if (size <= length || length !== this.#link.terms.packet) {
      this.#link.violation('malformed', `a message of ${size} bytes began with a packet of ${length} bytes`);
    } else if (size > limit) {
      this.#link.violation('too_large', `a message of ${size} bytes is above our ${name}, ${limit}`);
    } else if (!account.spend(longCost(frame))) {
      this.#link.violation('malformed', `a message of ${size} bytes came without credit of its account`);
    } else return this.packet(frame);
    return false;
  }
}

/** What a long message or an item costs its own account: the whole, at its first packet. */
export function longCost(frame: Frame): number {
  return Math.max(frame.size, frame.length) + frame.metadataSize + UNIT;
}

/** Milliseconds within which packets that come bring some credit back: a sender that has none and gets none for 10 s cuts the connection. */
const PROMPT = 3_000;
