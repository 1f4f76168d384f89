// A client of the messages on the wire that shares no code with this package: it is written from
// docs/wire-nats.md, on a plain NATS client.

import { type NatsConnection, nuid } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import type { ExecutionContext } from 'ava';

/** A message that arrived. */
export interface WireMessage {
  readonly number: number;
  readonly type: number;
  readonly content: Uint8Array;
  readonly reply: string;
}

export class Stranger {
  readonly nats: NatsConnection;
  readonly subject: string;
  /** The messages that arrived. */
  readonly inbox: WireMessage[] = [];
  /** The number of answers that report a subject without subscribers. */
  absences = 0;
  /** The subject to which `send` publishes; `dial` and `confirm` set it. */
  peer = '';
  #next = 0;
  readonly #waiting = new Set<() => void>();

  constructor(nats: NatsConnection) {
    this.nats = nats;
    this.subject = `trunkline.default.in.stranger.${nuid.next()}`;
    nats.subscribe(this.subject, {
      callback: (_error, message) => {
        const { data } = message;
        if (message.headers?.code === 503) this.absences++;
        else {
          const number = new DataView(data.buffer, data.byteOffset).getUint32(0);
          this.inbox.push({
            number,
            type: data[4]!,
            content: data.slice(5),
            reply: message.reply!,
          });
        }
        for (const wake of [...this.#waiting]) wake();
      },
    });
  }

  /** Sends the request to dial. */
  request(name: string, content: object = { version: 1 }): void {
    this.nats.publish(`trunkline.default.dial.${name}`, JSON.stringify(content), {
      reply: this.subject,
    });
  }

  /** Dials a name. The byte 9, or `first`, travels with the confirmation. */
  async dial(name: string, terms: object = TERMS, first?: Uint8Array): Promise<void> {
    this.request(name);
    await this.until(() => this.inbox.length > 0);
    this.confirm(terms, first);
    await this.until(() => this.inbox.length > 1);
    this.peer = this.inbox[1]!.reply;
  }

  /** Answers `accept`, which must be the first message in `inbox`. */
  confirm(terms: object = TERMS, first: Uint8Array = new Uint8Array([9])): void {
    const { content, reply } = this.inbox[0]!;
    const { cookie } = JSON.parse(new TextDecoder().decode(content));
    const json = new TextEncoder().encode(JSON.stringify({ cookie, ...terms }));
    this.peer = reply;
    this.send(CONFIRM, new Uint8Array([json.length >> 8, json.length & 255, ...json, ...first]));
  }

  /** Sends a message with the next number, or with `number`, which the next message ignores. */
  send(type: number, content: Uint8Array = new Uint8Array(0), number = this.#next++): void {
    const message = new Uint8Array(5 + content.length);
    new DataView(message.buffer).setUint32(0, number);
    message[4] = type;
    message.set(content, 5);
    this.nats.publish(this.peer, message, { reply: this.subject });
  }

  /** The bytes of all data messages. */
  get received(): number {
    return this.inbox
      .filter(({ type }) => type === DATA)
      .reduce((sum, { content }) => sum + content.length, 0);
  }

  /** Resolves when `holds` returns true; calls it after each message. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }
}

export async function stranger(t: ExecutionContext, servers: string): Promise<Stranger> {
  const nats = await connect({ servers });
  t.teardown(() => nats.close());
  return new Stranger(nats);
}

export const DATA = 0;
export const CREDIT = 1;
export const END = 2;
export const RESET = 3;
export const ACCEPT = 4;
export const REFUSE = 5;
export const CONFIRM = 6;
const TERMS = { version: 1, credit: 32_768, max: 65_536 };
