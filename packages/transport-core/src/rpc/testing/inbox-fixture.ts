// An inbox with simulated connections, which record the answers that their calls get.

import * as z from 'zod';
import type { TransportError } from '../../errors.ts';
import type { AllowCall } from '../../interceptors.ts';
import { bytes } from '../../protocol/codec.ts';
import { json } from '../../protocol/json.ts';
import { defineProtocol, methodTable } from '../../protocol/protocol.ts';
import type { Remote } from '../../remote.ts';
import { ReceiveAccount } from '../../session/batch.ts';
import { type AnswerCarrier, InCall } from '../../session/incoming-calls.ts';
import { Channel } from '../../session/outgoing-calls.ts';
import { OutboxFixture } from '../../session/testing/outbox-fixture.ts';
import { SMALL } from '../../session/testing/pair.ts';
import { Account } from '../../wire/frame.ts';
import { frameOf } from '../../wire/testing/frames.ts';
import { Inbox } from '../inbox.ts';
import { rpcHost } from './call-fixture.ts';

export const protocol = defineProtocol({
  name: 'bench',
  version: 1,
  channel: 0x20,
  methods: {
    ask: { id: 1, request: bytes, response: bytes },
    tell: { id: 2, request: bytes },
    other: { id: 3, request: bytes, response: bytes },
    typed: { id: 4, request: json(z.object({ n: z.number() })), response: json(z.number()) },
    get: { id: 5, request: bytes, download: bytes },
    shout: { id: 6, request: json(z.object({ n: z.number() })) },
    many: { id: 7, request: json(z.array(z.array(z.string().min(1)))), response: json(z.number()) },
  },
});
const table = methodTable(protocol);
export type Name = keyof typeof protocol.methods;

/**
 * A simulated connection with one channel. It records the answers to its calls in order: 'ask 3 =
 * 9', 'other 4 ! unimplemented (unprocessed)'.
 */
export class FakeConnection implements AnswerCarrier {
  readonly answers: string[] = [];
  readonly context = Object.assign(new OutboxFixture(SMALL).context, {
    count: (counter: string) => void this.#fixture.counters.push(counter),
  });
  readonly channel: Channel;
  readonly remote: Remote;
  jammed = false;
  credited = 0;
  #ids = 1;
  readonly #creditor = { credit: () => void this.credited++, holds: () => {} };
  readonly #fixture: InboxFixture;

  constructor(fixture: InboxFixture, name: string) {
    this.#fixture = fixture;
    const names = { id: name, endpoint: name, instance: name };
    this.remote = { ...names, direction: 'in', closed: false, hello: {} };
    this.context.meet(this.remote);
    this.channel = new Channel(this.context, this.#creditor, protocol.channel);
    this.channel.version = 1;
    this.channel.congested = () => this.jammed;
  }

  call(name: Name, payload: Uint8Array = new Uint8Array([this.#ids & 0xff]), long = false): InCall {
    const method = table.byName.get(name)!;
    const id = method.kind === 'oneway' ? 0 : (this.#ids += 2);
    const frame = frameOf({ id }, payload);
    const call = new InCall(this, frame, this.channel, method, payload);
    if (method.kind === 'oneway' || long) {
      const account = new ReceiveAccount(this.#creditor, Account.INBOX, 1_000_000);
      account.spend(call.cost);
      call.account = account;
    }
    return call;
  }

  /** Delivers a call to the inbox. */
  send(name: Name, payload?: Uint8Array, long = false): InCall {
    const call = this.call(name, payload, long);
    this.#fixture.inbox.arrive(call);
    return call;
  }

  respond(call: InCall, payload: Uint8Array): boolean {
    return this.#answer(call, `= ${[...payload]}`);
  }

  fail(call: InCall, error: TransportError, unprocessed: boolean): boolean {
    return this.#answer(call, `! ${error.code}${unprocessed ? ' (unprocessed)' : ''}`);
  }

  finish(call: InCall): boolean {
    return this.#answer(call, 'end');
  }

  #answer(call: InCall, answer: string): boolean {
    if (!call.open) return false;
    call.open = false;
    return this.answers.push(`${call.method.name} ${call.id} ${answer}`) > 0;
  }

  abort(): void {}

  forget(): void {}

  expires(): void {}

  get running(): number {
    return this.channel.running + this.channel.oneways;
  }
}

export class InboxFixture {
  readonly counters: string[] = [];
  readonly failures: unknown[] = [];
  readonly inbox: Inbox;

  /** @param allow the rule for calls to all methods. */
  constructor(allow?: AllowCall) {
    this.inbox = new Inbox(
      protocol,
      rpcHost({
        reporter: {
          ...rpcHost().reporter,
          count: (counter) => void this.counters.push(counter),
          tell: (event) =>
            event.type === 'callbackFailed' && void this.failures.push(event.callback),
        },
      }),
      allow,
    );
  }

  connection(name = 'a'): FakeConnection {
    return new FakeConnection(this, name);
  }
}

/** Returns an inbox with one connection. */
export function inbox(): { fixture: InboxFixture; a: FakeConnection } {
  const fixture = new InboxFixture();
  return { fixture, a: fixture.connection() };
}
