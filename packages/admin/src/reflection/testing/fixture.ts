// A node with protocols of every kind of method and codec, and a tool that knows none of them.

import {
  type AnyTransport,
  type Backend,
  bytes,
  createTransport,
  defineProtocol,
  type Handlers,
  json,
  limited,
  serve,
  type Transport,
} from '@trunkline/transport-core';
import { protobuf } from '@trunkline/transport-core/protobuf';
import { inmem } from '@trunkline/transport-inmem';
import type { ExecutionContext } from 'ava';
import protobufjs from 'protobufjs';
import { z } from 'zod';
import * as mini from 'zod/mini';
import { createReflector, type Reflector, serveReflection } from '../../index.reflection.ts';

const root = protobufjs.parse(`
  syntax = "proto3";
  package shop;
  enum Color { RED = 0; DARK_BLUE = 1; }
  message Item { string item_name = 1; optional int64 price = 2; Color color = 3; }
  message Order {
    repeated Item items = 1;
    map<string, uint32> counts = 2;
    bytes signature = 3;
    oneof payment { string card = 4; bool cash = 5; }
    repeated int32 codes = 6;
  }
  message Unrelated { string secret = 1; }
`).root;

/** Transports find each other if they share the backend. */
export const backends: readonly Backend[] = [inmem()];

/** Reflection types of protobufjs. */
export const shopRoot: protobufjs.Root = root;

export const numbers = defineProtocol({
  name: 'numbers',
  version: 2,
  accepts: [1],
  channel: 0x20,
  doc: 'Computes.',
  methods: {
    double: {
      id: 1,
      doc: 'Returns twice the value.',
      timeout: 5_000,
      request: json(z.object({ value: z.number(), unit: z.string().optional() })),
      response: json(z.object({ value: z.number() })),
    },
    note: { id: 2, request: limited(json(mini.object({ text: mini.string() })), 100) },
    sum: {
      id: 3,
      request: json(z.object({})),
      upload: json(z.number()),
      response: json(z.number()),
    },
    count: {
      id: 4,
      timeout: Number.POSITIVE_INFINITY,
      request: json(z.int()),
      download: json(z.int()),
    },
    echo: { id: 5, request: bytes, upload: bytes, download: bytes },
  },
});

export const shop = defineProtocol({
  name: 'shop',
  channel: 0x21,
  methods: {
    order: {
      id: 1,
      request: protobuf(root.lookupType('shop.Order')),
      response: protobuf(root.lookupType('shop.Order')),
    },
  },
});

/** Creates a node that serves both protocols and reflection, and a tool. */
export async function fixture(
  t: ExecutionContext,
  options: Parameters<typeof serveReflection>[1] = {},
): Promise<{
  node: AnyTransport;
  tool: AnyTransport;
  reflector: Reflector;
  notes: string[];
  address: string;
}> {
  const address = `inmem://${t.title.replace(/\W+/g, '-')}`;
  const node = createTransport(address, { protocol: numbers, backends });
  const notes: string[] = [];
  serve(node, {
    double: ({ value }) => ({ value: 2 * value }),
    note: ({ text }) => notes.push(text),
    sum: async (_, { upload }) => {
      let sum = 0;
      for await (const value of upload) sum += value;
      return sum;
    },
    count: async function* (to) {
      for (let i = 1; i <= to; i++) yield i;
    } as Handlers<typeof numbers>['count'],
    echo: async (_, rpc) => {
      for await (const item of rpc.upload) await rpc.write(item);
    },
  });
  serve(node.mount(shop), { order: (order) => order });
  serveReflection(node, options);
  await node.listen();
  const own = defineProtocol({ name: 'tool', channel: 0xf0, methods: {} });
  const tool: Transport<typeof own> = createTransport({ protocol: own, backends });
  t.teardown(() => Promise.all([tool.close(), node.close()]));
  return { node, tool, reflector: createReflector(tool), notes, address };
}

/** Returns the items of an iterable. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
