// The protocols of the cases. Those that one transport may mount together have different channels.

import { bytes, defineProtocol, json, owned, type Transport } from '@trunkline/transport-core';
import { protobuf } from '@trunkline/transport-core/protobuf';
import proto from 'protobufjs';
import { fields } from './schema.ts';

/** A request with every type of value that JSON can represent. */
export interface SyncRequest {
  readonly from: string;
  readonly known: Record<string, number>;
  readonly limit: number;
  readonly heads: readonly unknown[];
  readonly parent: unknown;
}

/** A large nested body with binary data. */
export interface Block {
  readonly index: number;
  readonly state: Uint8Array;
  readonly parents: readonly Block[];
}

const blockType = new proto.Type('Block')
  .add(new proto.Field('index', 1, 'uint32'))
  .add(new proto.Field('state', 2, 'bytes'))
  .add(new proto.Field('parents', 3, 'Block', 'repeated'));
new proto.Root().add(blockType);

export const syncRequest = fields<SyncRequest>({
  from: 'string',
  known: 'object',
  limit: 'number',
  heads: 'array',
  parent: 'any',
});
export const blockCodec = protobuf<Block>(blockType);

/**
 * A protocol with every kind of call; channel 0x40. Calls of `brisk` have a timeout of 500 ms.
 * Since the request of `note` is `owned`, a case must not change its memory after the call.
 */
export const kit = defineProtocol({
  name: 'testkit',
  version: 1,
  channel: 0x40,
  methods: {
    echo: { id: 1, request: bytes, response: bytes },
    brisk: { id: 2, request: bytes, response: bytes, timeout: 500 },
    note: { id: 3, request: owned(bytes) },
    gather: { id: 4, request: bytes, upload: bytes, response: bytes },
    range: { id: 5, request: bytes, download: bytes },
    pipe: { id: 6, request: bytes, upload: bytes, download: bytes },
    sync: {
      id: 7,
      request: json(syncRequest, { protoKeys: true }),
      response: json(syncRequest, { protoKeys: true }),
    },
    block: { id: 8, request: blockCodec, response: blockCodec },
  },
});

/** Another protocol for the same transport; channel 0x41. */
export const side = defineProtocol({
  name: 'testkit/side',
  version: 1,
  channel: 0x41,
  methods: { echo: { id: 1, request: bytes, response: bytes }, note: { id: 2, request: bytes } },
});

/** A protocol in which long messages keep their order; channel 0x42. */
export const lined = defineProtocol({
  name: 'testkit/lined',
  version: 1,
  channel: 0x42,
  ordered: true,
  methods: { note: { id: 1, request: bytes }, echo: { id: 2, request: bytes, response: bytes } },
});

/** Two protocols that differ only in priority (1 and 100); channels 0x45 and 0x46. */
export const humble = defineProtocol({
  name: 'testkit/humble',
  version: 1,
  channel: 0x45,
  priority: 1,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});
export const urgent = defineProtocol({
  name: 'testkit/urgent',
  version: 1,
  channel: 0x46,
  priority: 100,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});

export type Kit = typeof kit;
export type KitTransport = Transport<Kit>;
