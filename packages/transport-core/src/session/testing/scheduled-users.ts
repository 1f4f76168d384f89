// The users of two joined sessions: they call, answer and stream as a schedule prescribes, and
// check that messages arrive in order. The schedule decides when they act, and checks the rest at
// the end.

import { TransportError, withDetails } from '../../errors.ts';
import { HANDLER, type InCall } from '../incoming-calls.ts';
import type { End, Pair } from './pair.ts';
import { type methods, type protocols, readStamp, stamp } from './stamped-calls.ts';
import { TestCall } from './test-call.ts';

/** A call and what its caller has done. */
export interface Made {
  readonly number: number;
  readonly end: End;
  readonly call: TestCall;
  uploadClosed: boolean;
  written: number;
  read: number;
}

/** A call that has arrived, and what its handler has done. */
export interface Served {
  readonly call: InCall;
  readonly number: number;
  answered: boolean;
  written: number;
  read: number;
}

export class ScheduledUsers {
  /** All calls that were made, in their order. */
  readonly made: Made[] = [];
  /** All calls with an answer that have arrived. */
  readonly served: Served[] = [];
  readonly #pair: Pair;
  /** The number of times each one-way arrived. */
  readonly #told = new Map<number, number>();

  constructor(pair: Pair) {
    this.#pair = pair;
  }

  /** Returns the number of times the one-way with this number arrived. */
  timesTold(number: number): number {
    return this.#told.get(number) ?? 0;
  }

  get #ends(): readonly [End, End] {
    return [this.#pair.dialer, this.#pair.acceptor];
  }

  /**
   * Makes a call whose size depends on `more`; if `isShort` is true, with a deadline of `more` ms.
   */
  make(
    end: End,
    name: keyof typeof methods,
    protocol: (typeof protocols)[number],
    more: number,
    isShort: boolean,
  ): void {
    if (end.session.state !== 'up') return;
    const number = this.made.length + 1;
    const call = new TestCall(protocol, name, stamp(number, sizeOf(more)));
    if (isShort) call.due = this.#pair.now + more;
    this.made.push({ number, end, call, uploadClosed: false, written: 0, read: 0 });
    this.#pair.start(end, call);
  }

  /** Takes the calls that have arrived at one end. */
  take(end: End): void {
    for (const call of end.take()) {
      // A real inbox would know that the caller is gone.
      if (call.gone !== undefined) continue;
      const number = readStamp(call.payload);
      if (call.method.kind === 'oneway') this.#told.set(number, (this.#told.get(number) ?? 0) + 1);
      else {
        call.run(HANDLER);
        this.served.push({ call, number, answered: false, written: 0, read: 0 });
      }
    }
  }

  /** Answers, ends or fails a call. */
  answer(served: Served | undefined, more: number): void {
    if (served === undefined || served.answered) return;
    const { call, number } = served;
    served.answered = true;
    if (more > 240) call.carrier.fail(call, new TransportError('aborted', String(number)), false);
    else if (call.download !== undefined) call.carrier.finish(call);
    else call.carrier.respond(call, stamp(number, sizeOf(more)));
    call.handled();
  }

  /** Writes an item of a download. */
  write(served: Served | undefined, more: number): Promise<void> | undefined {
    if (served === undefined || served.answered || !served.call.open) return undefined;
    const item = stamp(served.number + served.written++, more * 60);
    return served.call.download?.write(item).catch(() => void served.written--);
  }

  /** Reads an item of an upload. Returns false if there is none. */
  readUpload(served: Served | undefined): boolean {
    const item = served?.call.upload?.take();
    if (item === undefined) return false;
    check(
      readStamp(item) === served!.number + served!.read++,
      `the upload of call ${served!.number} is out of order`,
    );
    return true;
  }

  /** Writes an item of an upload or ends it, and reads an item of a download. */
  use(made: Made | undefined, more: number): Promise<void> | undefined {
    if (made === undefined) return undefined;
    const { upload } = made.call;
    let written: Promise<void> | undefined;
    if (upload !== undefined && made.call.opened && !made.uploadClosed && !made.call.done) {
      made.uploadClosed = more < 50;
      if (made.uploadClosed) upload.close(undefined);
      else
        written = upload
          .write(stamp(made.number + made.written++, more * 60))
          .catch(() => void made.written--);
    }
    this.#readDownload(made);
    return written;
  }

  #readDownload(made: Made): boolean {
    const { download } = made.call;
    const item = download?.take();
    if (item === undefined) {
      download?.wait(() => {});
      return false;
    }
    check(
      readStamp(item) === made.number + made.read++,
      `the download of call ${made.number} is out of order`,
    );
    return true;
  }

  /** Fails the calls that came back unsent, since there is no other connection for them. */
  returnUnsent(): void {
    for (const end of this.#ends) {
      const returned = end.left.splice(0);
      const unsent = end.ending?.unsent.splice(0) ?? [];
      check(
        unsent.every(
          ({ seq, carrier }, i) => carrier === undefined && seq >= (unsent[i - 1]?.seq ?? 0),
        ),
        'unsent calls came back in another order, or with their carrier',
      );
      returned.push(...unsent);
      for (const call of returned) {
        check(!call.done, 'a call that is done came back unsent');
        call.failed(
          withDetails(new TransportError('unavailable', 'it came back'), {
            reason: 'disconnected',
            sent: false,
          }),
        );
      }
    }
  }

  /** Lets both users finish everything that was begun. */
  finish(): void {
    const pair = this.#pair;
    for (let round = 0; round < 2_000; round++) {
      for (const end of this.#ends) end.drain();
      pair.quiet();
      this.returnUnsent();
      for (const end of this.#ends) this.take(end);
      for (const served of this.served) {
        while (this.readUpload(served));
        if (served.call.upload === undefined || served.call.upload.ended) this.answer(served, 0);
      }
      for (const made of this.made) {
        const { call } = made;
        if (call.upload !== undefined && call.opened && !made.uploadClosed && !call.done) {
          made.uploadClosed = true;
          call.upload.close(undefined);
        }
        while (this.#readDownload(made));
      }
      const isQuiet = this.#ends.every(
        (end) => !end.isDirty && end.sent.length === 0 && end.calls.length === 0,
      );
      if (isQuiet && this.made.every(({ call }) => call.done)) return;
      pair.pass(1);
    }
    const open = this.made.filter(({ call }) => !call.done);
    throw new Error(
      `calls never settled: ${open.map(({ number, call }) => `${number} ${call.method.name}`).join(', ')}`,
    );
  }
}

/** Returns the size of a short message, or of a long one of several packets. */
function sizeOf(more: number): number {
  return more < 200 ? more : (more - 199) * 800;
}

/** Throws if a promise of the session was broken. */
export function check(holds: boolean, problem: string): void {
  if (!holds) throw new Error(problem);
}
