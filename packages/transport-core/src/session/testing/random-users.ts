// The users of two joined sessions, who call, answer, stream and cancel at random, and who know
// which messages must have arrived.

import type { ExecutionContext } from 'ava';
import { TransportError } from '../../errors.ts';
import type { Random } from '../../random.ts';
import { HANDLER, type InCall } from '../in-call.ts';
import { type End, Pair, pick } from './pair.ts';
import { methods, protocols, readStamp, stamp } from './stamped-calls.ts';
import { TestCall } from './test-call.ts';

interface Made {
  readonly number: number;
  readonly call: TestCall;
  readonly end: End;
  uploadClosed: boolean;
  written: number;
}

interface Served {
  readonly call: InCall;
  readonly number: number;
  answered: boolean;
  written: number;
  read: number;
}

/** The users of both ends, who act at random. */
export class RandomUsers {
  readonly pair: Pair;
  readonly made: Made[] = [];
  readonly served: Served[] = [];
  private readonly told = new Map<number, number>();
  private readonly random: Random;
  private readonly t: ExecutionContext;
  private numbers = 1;

  constructor(t: ExecutionContext, random: Random) {
    this.t = t;
    this.random = random;
    this.pair = new Pair(protocols).open();
  }

  get ends(): End[] {
    return [this.pair.dialer, this.pair.acceptor];
  }

  step(): void {
    const { random, pair } = this;
    const end = pick(this.ends, random)!;
    const draw = random();
    if (draw < 0.2) this.make(end);
    else if (draw < 0.4) this.serve();
    else if (draw < 0.5) this.use();
    else if (draw < 0.52) this.cancel();
    else if (draw < 0.54) end.stuck = true;
    else if (draw < 0.6) end.drain(pair.now);
    else if (draw < 0.75) pair.tick(end);
    else if (draw < 0.78) pair.pass(Math.floor(random() * 30));
    else pair.move(end, 1 + Math.floor(random() ** 3 * 20_000));
    this.take();
  }

  /** Fails the calls that came back unsent, since there is no other connection for them. */
  failReturned(): void {
    for (const end of this.ends) {
      const returned = end.left.splice(0);
      if (end.ending !== undefined) returned.push(...end.ending.unsent.splice(0));
      for (const call of returned) {
        this.t.false(call.done);
        call.failed(
          new TransportError('unavailable', 'moved', { reason: 'disconnected', sent: false }),
        );
      }
    }
  }

  private make(end: End): void {
    if (end.session.state !== 'up') return;
    const { random } = this;
    const protocol = pick(protocols, random)!;
    const name = pick(Object.keys(methods), random)!;
    const number = this.numbers++;
    const call = new TestCall(protocol, name, stamp(number, this.size()));
    if (random() < 0.15) call.due = this.pair.now + random() * 200;
    this.made.push({ number, call, end, uploadClosed: false, written: 0 });
    this.pair.start(end, call);
  }

  private size(): number {
    const draw = this.random();
    return Math.floor(
      draw < 0.7
        ? this.random() * 300
        : draw < 0.95
          ? this.random() * 10_000
          : this.random() * 50_000,
    );
  }

  timesTold(number: number): number {
    return this.told.get(number) ?? 0;
  }

  private take(): void {
    for (const end of this.ends) if (this.random() >= 0.7) this.takeFrom(end);
  }

  takeAll(): void {
    for (const end of this.ends) this.takeFrom(end);
  }

  private takeFrom(end: End): void {
    for (const call of end.take()) {
      // A real inbox would know that the caller is gone.
      if (call.gone !== undefined) continue;
      const number = readStamp(call.payload);
      if (call.method.kind === 'oneway') this.told.set(number, (this.told.get(number) ?? 0) + 1);
      else {
        call.carrier.started(call, HANDLER);
        this.served.push({ call, number, answered: false, written: 0, read: 0 });
      }
    }
  }

  private serve(served = pick(this.served, this.random)): void {
    if (served === undefined) return;
    const { random } = this;
    const { call, number } = served;
    const draw = random();
    if (call.upload !== undefined && draw < 0.5) this.readUpload(served);
    if (served.answered) return;
    if (call.download !== undefined && draw < 0.7) {
      if (call.open)
        call.download
          .write(stamp(number + served.written++, Math.floor(random() * 12_000)))
          .catch(() => {});
    } else if (draw < 0.9 || call.upload === undefined || call.upload.ended)
      this.answer(served, draw < 0.05);
  }

  private answer(served: Served, fails: boolean): void {
    const { call, number } = served;
    served.answered = true;
    if (fails) call.carrier.fail(call, new TransportError('aborted', String(number)), false);
    else if (call.download !== undefined) call.carrier.finish(call);
    else call.carrier.respond(call, stamp(number, this.size()));
    call.handled();
  }

  private readUpload(served: Served): void {
    const item = served.call.upload!.take();
    if (item !== undefined) this.t.is(readStamp(item), served.number + served.read++);
  }

  private use(made = pick(this.made, this.random)): void {
    if (made === undefined) return;
    const { call, number } = made;
    const { upload, download } = call;
    if (upload !== undefined && call.opened && !made.uploadClosed && !call.done) {
      if (this.random() < 0.2) {
        made.uploadClosed = true;
        upload.close(undefined);
      } else
        upload
          .write(stamp(number + made.written++, Math.floor(this.random() * 12_000)))
          .catch(() => {});
    }
    if (download !== undefined) this.readDownload(made);
  }

  private readonly got = new Map<number, number>();

  private readDownload({ call, number }: Made): void {
    const item = call.download!.take();
    if (item === undefined) return call.download!.wait(() => {});
    const count = this.got.get(number) ?? 0;
    this.got.set(number, count + 1);
    this.t.is(readStamp(item), number + count);
  }

  private cancel(): void {
    const made = pick(this.made, this.random);
    made?.call.giveUp('cancelled');
  }

  /** Lets both users finish everything that was begun. */
  finish(): void {
    const { pair } = this;
    for (let round = 0; round < 2_000; round++) {
      for (const end of this.ends) end.drain(pair.now);
      pair.quiet();
      this.failReturned();
      this.take();
      for (const served of this.served) {
        if (served.call.upload !== undefined) for (let i = 0; i < 100; i++) this.readUpload(served);
        if (!served.answered && (served.call.upload === undefined || served.call.upload.ended))
          this.answer(served, false);
      }
      for (const made of this.made) {
        const { call } = made;
        if (call.upload !== undefined && call.opened && !made.uploadClosed && !call.done) {
          made.uploadClosed = true;
          call.upload.close(undefined);
        }
        for (let i = 0; i < 100 && call.download !== undefined; i++) this.readDownload(made);
      }
      if (
        this.made.every(({ call }) => call.done) &&
        this.ends.every((end) => !end.isDirty && end.sent.length === 0 && end.calls.length === 0)
      )
        return;
      pair.pass(1);
    }
    const left = this.made
      .filter(({ call }) => !call.done)
      .map(({ number, call }) => `${number} ${call.method.name} ${call.opened}`);
    throw new Error(`calls that never settled: ${left.join(', ')}`);
  }

  checkAnswers(): void {
    const { t } = this;
    for (const { number, call } of this.made) {
      t.is(call.settlements, 1, `call ${number} ${call.method.name}`);
      if (call.answer !== undefined) t.is(readStamp(call.answer), number);
      if (call.error?.code === 'aborted') t.is(call.error.message, String(number));
    }
    for (const [number, times] of this.told) t.is(times, 1, `one-way ${number}`);
  }

  /**
   * Checks that all one-ways that resolved have arrived. A one-way that was given up after its
   * packets had left may be lost.
   */
  checkOneways(): void {
    for (const { number, call } of this.made) {
      if (call.method.kind === 'oneway' && call.error === undefined)
        this.t.is(this.told.get(number), 1, `one-way ${number}`);
    }
  }
}
