// The accounts of channels that have no protocol mounted. Messages that arrive there are dropped,
// and their credit is given back.
//
// Owns the accounts that still have credit to give back; the channels ask for them.

import { Account, type FrameWriter } from '../wire/frame.ts';
import { type Creditor, ReceiveAccount } from './receive-account.ts';

/** The accounts of channels without a protocol. */
export class StrayAccounts {
  /** The accounts by number and channel. */
  #accounts: Map<number, ReceiveAccount> | undefined = undefined;
  readonly #creditor: Creditor;
  readonly #credit: { readonly short: number; readonly long: number };

  /** @param credit the initial credit of the accounts of a channel. */
  constructor(creditor: Creditor, credit: { readonly short: number; readonly long: number }) {
    this.#creditor = creditor;
    this.#credit = credit;
  }

  /** Returns the account of a channel; see `Channels.stray`. */
  get(account: number, channel: number): ReceiveAccount {
    const key = account * BYTES + channel;
    let stray = this.#accounts?.get(key);
    if (stray !== undefined) return stray;
    stray = new Stray(
      this.#creditor,
      account,
      account === Account.SHORT ? this.#credit.short : this.#credit.long,
      channel,
      () => this.#accounts!.delete(key),
    );
    if (channel >= BYTES) stray.end();
    else {
      this.#accounts ??= new Map();
      this.#accounts.set(key, stray);
    }
    return stray;
  }
}

/** An account that is forgotten once everything is paid back. */
class Stray extends ReceiveAccount {
  readonly #paid: () => void;

  constructor(
    creditor: Creditor,
    account: number,
    start: number,
    channel: number,
    paid: () => void,
  ) {
    super(creditor, account, start, 0, channel);
    this.#paid = paid;
  }

  override write(writer: FrameWriter): void {
    super.write(writer);
    this.#paid();
  }
}

/** The number of channel bytes. */
const BYTES = 0x100;
