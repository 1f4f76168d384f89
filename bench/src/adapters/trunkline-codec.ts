// Trunkline over TCP with protobuf messages: a request is a message that wraps its bytes. The time
// that the codec takes at both ends is measured separately, without a wire.

import { type Codec, defineProtocol } from '@trunkline/transport-core';
import { protobuf } from '@trunkline/transport-core/protobuf';
import proto from 'protobufjs';
import { answer } from '../messages.ts';
import type { Adapters } from './adapter.ts';
import { type First, OPEN, trunkline } from './trunkline.ts';

const type = new proto.Type('Wrapped')
  .add(new proto.Field('number', 1, 'uint32'))
  .add(new proto.Field('from', 2, 'string'))
  .add(new proto.Field('body', 3, 'bytes'));
new proto.Root().add(type);
const codec = protobuf<{ number: number; from: string; body: Uint8Array }>(type);

let calls = 0;
/** A value as long as a node's name might be. */
const FROM = 'node-1';
/** The caller passes and gets bytes, so the codec is the only difference from a call of bytes. */
const around: Codec<Uint8Array> = {
  name: codec.name,
  encode: (body) => codec.encode({ number: calls++ & 0xffff, from: FROM, body }),
  decode: (encoded) => codec.decode(encoded).body,
};
const protocol = defineProtocol({
  name: 'bench-codec',
  version: 1,
  channel: 0x20,
  methods: { answer: { id: 1, request: around, response: around } },
});
const { serve, connect } = trunkline((role, options) =>
  OPEN.tcp(role, { ...options, protocol: protocol as unknown as First }),
);

export const adapters: Adapters = {
  'trunkline-tcp-protobuf': {
    serve,
    connect: async (address) => ({
      ...(await connect(address)),
      inProcess: (request) =>
        around.decode(around.encode(answer(around.decode(around.encode(request))))),
    }),
  },
};
