// The protocols of the tests that act at random, and messages that carry a number at the beginning
// and at the end, so that a torn message or a message of another call is noticed.

import { bytes } from '../../protocol/codec.ts';
import { defineProtocol } from '../../protocol/protocol.ts';
import { TestCall } from './test-call.ts';

/** A method of each kind. */
export const methods = {
  ask: { id: 1, request: bytes, response: bytes },
  tell: { id: 2, request: bytes },
  give: { id: 3, request: bytes, upload: bytes, response: bytes },
  get: { id: 4, request: bytes, download: bytes },
  both: { id: 5, request: bytes, upload: bytes, download: bytes },
};

export const protocol = defineProtocol({ name: 'first', version: 1, channel: 0x20, methods });

/** Makes a call of this protocol with that many bytes. */
export const callOf = (name: keyof typeof methods, size = 1): TestCall =>
  new TestCall(protocol, name, new Uint8Array(size));

/**
 * Two protocols with these methods. The second has a priority, and keeps long messages in order.
 */
export const protocols = [
  protocol,
  defineProtocol({
    name: 'second',
    version: 1,
    channel: 0x21,
    priority: 3,
    ordered: true,
    methods,
  }),
];

/** Makes a message of at least 8 bytes that carries its number at the beginning and at the end. */
export function stamp(number: number, size: number): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(Math.max(size, 8));
  const view = new DataView(message.buffer);
  view.setUint32(0, number);
  view.setUint32(message.length - 4, number);
  return message;
}

/** Returns the number of a message. Throws if the message is torn. */
export function readStamp(message: Uint8Array): number {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const number = view.getUint32(0);
  if (message.length < 8 || view.getUint32(message.length - 4) !== number)
    throw new Error('a message is torn');
  return number;
}
