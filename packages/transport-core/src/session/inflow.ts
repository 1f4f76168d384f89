// What comes in packet by packet: the pipe's account and the checks that the first packet of a long message must pass (docs/wire-protocol.md §4, §6).

import { Account, type Frame } from '../wire/frame.ts';
import { type Link, UNIT } from './link.ts';
import { type Creditor, Receiving } from './receiving.ts';
import type { Shelf } from './shelf.ts';

export class Inflow {
  /** Packets of long messages and items; given back as they are read. */
  readonly pipe: Receiving;
  /** Long responses; given back when they are complete and handed over. */
  readonly reply: Receiving;
  /** When the last packet of anything long came in. */
  lastPacket: number;
  readonly #link: Link;
  readonly #shelf: Shelf | undefined;

  /** @param shelf undefined where every payload is a copy already. */
  constructor(link: Link, creditor: Creditor, shelf: Shelf | undefined) {
    this.#link = link;
    this.#shelf = shelf;
    this.pipe = new Receiving(creditor, Account.PIPE, link.limits.credit.pipe);
    this.reply = new Receiving(creditor, Account.REPLY, link.limits.credit.reply);
    this.lastPacket = link.now;
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
    this.lastPacket = this.#link.now;
    this.pipe.giveBack(cost, false);
    return true;
  }

  /** The payload of a frame that is a message by itself. False: it was a violation. */
  short(frame: Frame): boolean {
    if (frame.length <= this.#link.terms.packet) return true;
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
