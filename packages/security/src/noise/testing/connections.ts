// Helpers that build a secured connection over a connection driven by hand, and its far end.

import { createManualClock } from '@trunkline/transport-core/testing';
import { NodeIdFilter } from '../../identity/node-filter.ts';
import { Buffers } from '../buffers.ts';
import { CipherState } from '../framework/cipher-state.ts';
import { NoiseConnection } from '../noise-connection.ts';
import { suite } from '../primitives.node.ts';
import { RecordCutter } from '../wire/record-cutter.ts';
import { openRecord, sealRecord } from '../wire/records.ts';
import { pattern } from './bytes.ts';
import { ManualStream, RecordingSink } from './manual-stream.ts';

export interface MakeOptions {
  readonly blocked?: boolean;
  readonly attached?: boolean;
  readonly sent?: number;
  readonly received?: number;
  readonly arrived?: (remoteEnd: RemoteEnd) => Uint8Array[];
}

/**
 * Returns an open connection, the wire below it, the sink above it, and the far end of the wire.
 */
export function make({
  blocked = false,
  attached = true,
  sent = 0,
  received = 0,
  arrived = () => [],
}: MakeOptions = {}) {
  const clock = createManualClock();
  const host = { clock, buffers: new Buffers(), peers: new NodeIdFilter('self', {}) };
  const build = () => {
    const wire = new ManualStream();
    const remoteEnd = new RemoteEnd(sent, received);
    const channel = {
      send: new CipherState(suite, pattern(32, 1), sent),
      receive: new CipherState(suite, pattern(32, 2), received),
      binding: pattern(32, 3),
      nodeId: 'peer',
      flaw: undefined,
    };
    const connection = new NoiseConnection(host, {
      inner: wire,
      channel,
      refused: undefined,
      blocked,
      arrived: arrived(remoteEnd),
    });
    wire.attach({
      data: (chunk) => connection.data(chunk),
      frames: () => {},
      drained: () => connection.drained(),
      revoked: (error) => connection.revoked(error),
      closed: (error) => connection.closed(error),
    });
    const recorder = new RecordingSink();
    if (attached) connection.attach(recorder);
    return { connection, wire, recorder, remoteEnd };
  };
  return { ...build(), clock, make: build };
}

/** The other end of the wire. */
export class RemoteEnd {
  readonly #send: CipherState;
  readonly #receive: CipherState;
  readonly #cutter = new RecordCutter();

  constructor(received: number, sent: number) {
    this.#receive = new CipherState(suite, pattern(32, 1), received);
    this.#send = new CipherState(suite, pattern(32, 2), sent);
  }

  record(plaintext: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(plaintext.length + 18);
    sealRecord(this.#send, plaintext, bytes, 0);
    return bytes;
  }

  end(): Uint8Array {
    return this.record(new Uint8Array(0));
  }

  /** Returns the plaintexts of what was written. */
  read(written: readonly Uint8Array[]): Uint8Array[] {
    const plaintexts: Uint8Array[] = [];
    for (const chunk of written) {
      this.#cutter.feed(chunk);
      const joint = new Uint8Array(65_537);
      for (
        let message = this.#cutter.next(joint);
        message !== undefined;
        message = this.#cutter.next(joint)
      ) {
        plaintexts.push(openRecord(this.#receive, message)!);
      }
    }
    return plaintexts;
  }
}

/** Waits until deferred callbacks have run. */
export async function turn(): Promise<void> {
  for (let i = 0; i < 3; i++) await Promise.resolve();
}
