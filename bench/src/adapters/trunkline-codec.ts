// Trunkline over TCP with the messages of a codec: JSON checked by zod, and protobuf. A request is
// a message that wraps its bytes. The time that the codecs take at both ends is measured
// separately, without a wire.

import { Buffer } from 'node:buffer';
import {
  type Codec,
  createTransport,
  defineProtocol,
  json,
  serve,
} from '@trunkline/transport-core';
import { protobuf } from '@trunkline/transport-core/protobuf';
import { tcp } from '@trunkline/transport-tcp';
import proto from 'protobufjs';
import { z } from 'zod';
import { answer } from '../messages.ts';
import type { Adapter } from './adapter.ts';
import { OPTIONS } from './trunkline.ts';

interface Form<Message> {
  readonly codec: Codec<Message>;
  wrap(bytes: Uint8Array, number: number): Message;
  unwrap(message: Message): Uint8Array;
}

/**
 * Raises the codec's limit: bytes in JSON are base64 text, a third longer, so 4 MiB of them exceed
 * the default.
 */
export const trunklineTcpJson = overTcp('trunkline-tcp-json', {
  codec: json(z.object({ number: z.int(), from: z.string(), body: z.string() }), {
    limit: 8 * 1024 * 1024,
  }),
  wrap: (bytes, number) => ({
    number,
    from: FROM,
    body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64'),
  }),
  unwrap: ({ body }) => Buffer.from(body, 'base64'),
});

interface Wrapped {
  readonly number: number;
  readonly from: string;
  readonly body: Uint8Array;
}

const type = new proto.Type('Wrapped')
  .add(new proto.Field('number', 1, 'uint32'))
  .add(new proto.Field('from', 2, 'string'))
  .add(new proto.Field('body', 3, 'bytes'));
new proto.Root().add(type);

export const trunklineTcpProtobuf = overTcp<Wrapped>('trunkline-tcp-protobuf', {
  codec: protobuf<Wrapped>(type),
  wrap: (body, number) => ({ number, from: FROM, body }),
  unwrap: ({ body }) => body,
});

function overTcp<Message>(name: string, { codec, wrap, unwrap }: Form<Message>): Adapter {
  let calls = 0;
  // The caller passes and gets bytes, so the codec is the only difference from a call of bytes.
  const around: Codec<Uint8Array> = {
    name: codec.name,
    encode: (bytes) => codec.encode(wrap(bytes, calls++ & 0xffff)),
    decode: (encoded) => unwrap(codec.decode(encoded)),
  };
  const protocol = defineProtocol({
    name: 'bench-codec',
    version: 1,
    channel: 0x20,
    methods: { answer: { id: 1, request: around, response: around } },
  });
  const open = () =>
    createTransport('tcp://127.0.0.1:0', { ...OPTIONS, protocol, backends: [tcp()] });
  return {
    name,

    async serve(answer) {
      const transport = open();
      serve(transport, { answer });
      await transport.listen();
      return { address: transport.localAddr(), close: () => transport.close() };
    },

    async connect(address) {
      const transport = open();
      await transport.dial(address);
      return {
        call: (request) => transport.send(address, 'answer', request),
        callElsewhere: undefined,
        inProcess: (request) =>
          around.decode(around.encode(answer(around.decode(around.encode(request))))),
        close: () => transport.close(),
      };
    },
  };
}

/** A value as long as a node's name might be. */
const FROM = 'node-1';
