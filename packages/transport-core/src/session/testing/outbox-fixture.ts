// The writing half of a session without the rest: an outbox, and a link whose batches a test can
// read frame by frame.

import { FrameCollector } from '../../wire/encoder.ts';
import type { Frame } from '../../wire/frame.ts';
import { Batch, BatchPacer } from '../batch.ts';
import { Memory } from '../memory.ts';
import { Outbox } from '../outbox.ts';
import { Lanes, Outgoing, type UnitSender } from '../outgoing.ts';
import { SessionContext, type SessionLimits } from '../session-context.ts';
import { SMALL } from './pair.ts';

/** An outbox whose connection accepts every batch or, with `stuck`, holds it. */
export class OutboxFixture {
  readonly context: SessionContext;
  readonly batch: Batch;
  readonly outbox: Outbox;
  readonly frames: Frame[] = [];
  readonly batches: number[] = [];
  readonly violations: string[] = [];
  stuck = false;
  now = 0;
  readonly #collector = new FrameCollector();

  constructor(limits: SessionLimits = SMALL, memory = Number.MAX_SAFE_INTEGER) {
    const init = {
      port: {
        flush: () => this.#flush(),
        dirty: () => {},
        wakeBy: () => {},
        close: () => {},
        destroy: () => {},
      },
      limits,
      memory: new Memory(memory),
      allocate: (size: number) => new Uint8Array(size),
      freeMemory: () => {},
      count: () => {},
      ticker: { now: () => this.now },
    };
    this.context = new SessionContext(init, (error) => void this.violations.push(error.message));
    this.batch = new Batch(this.context, this.#collector, new BatchPacer());
    this.outbox = new Outbox(this.context, this.batch);
    this.grant(Number.MAX_SAFE_INTEGER / 4);
  }

  lanes(byte: number, priority = 10, credit = 0x7fff_0000): Lanes {
    const lanes = new Lanes(byte, credit);
    lanes.prioritize(priority);
    return lanes;
  }

  /** Sets our credit on the account of the connection. */
  grant(pipe: number): void {
    this.outbox.open({ pipe });
  }

  /** Pumps until the batch is empty or the connection holds it. */
  pump(): Frame[] {
    const before = this.frames.length;
    this.outbox.pump();
    this.batch.flush();
    return this.frames.slice(before);
  }

  /**
   * Pumps a single batch, which the connection then holds; the rest waits as it would for a slow
   * connection.
   */
  pumpOneBatch(): Frame[] {
    this.stuck = true;
    if (this.batch.blocked) this.batch.drained();
    return this.pump();
  }

  /** Lets the connection accept the batch that it holds, and pumps the rest. */
  release(): void {
    this.stuck = false;
    this.batch.drained();
    this.pump();
  }

  #flush(): boolean {
    const batch = this.#collector.take();
    this.frames.push(...batch);
    this.batches.push(batch.length);
    return !this.stuck;
  }
}

/** Returns an outbox, and one channel with this credit. */
export function withChannel(credit?: number) {
  const fixture = new OutboxFixture();
  return { fixture, lanes: fixture.lanes(0x20, 10, credit) };
}

/** A sender that records its notifications. */
export class RecordingSender implements UnitSender {
  left = 0;
  late = false;
  paidFor = 0;
  packets = 0;
  whole = false;

  timeLeft(): number {
    return this.late ? -1 : this.left;
  }

  paid(): void {
    this.paidFor++;
  }

  written(_unit: Outgoing, last: boolean): void {
    this.packets++;
    this.whole ||= last;
  }
}

let ids = 1;

export function unit(
  kind: number,
  size: number,
  pays = false,
  sender: UnitSender = new RecordingSender(),
): Outgoing {
  const made = new Outgoing(kind, (ids += 2), new Uint8Array(size), sender);
  made.method = 1;
  made.pays = pays;
  return made;
}
