// The key-value store as users call it, on every node of the live demo.

import { defineProtocol, json } from '@trunkline/transport-core';
import { z } from 'zod';

const key = z.string().min(1).max(200);

export const storeProtocol = defineProtocol({
  name: 'store',
  version: 1,
  channel: 0x21,
  doc: 'A key-value store that a Raft cluster replicates.',
  methods: {
    get: {
      id: 1,
      doc: 'Returns the value of a key; without a value, there is no such key.',
      request: json(z.object({ key })),
      response: json(z.object({ value: z.string().optional() })),
    },
    set: {
      id: 2,
      doc: 'Sets a key, and returns when a majority of the nodes has stored it.',
      request: json(z.object({ key, value: z.string().max(10_000) })),
      response: json(z.object({})),
    },
  },
});
