// The protocol of the tests. `node` in nodes.ts serves `echo`; each test serves what else it calls.

import { bytes, defineProtocol, json } from '@trunkline/transport-core';
import { z } from 'zod';

export const testProtocol = defineProtocol({
  name: 'test',
  methods: {
    echo: { id: 1, request: bytes, response: bytes },
    who: { id: 2, request: json(z.null()), response: json(z.string()) },
    note: { id: 3, request: json(z.int()) },
    numbers: { id: 4, request: json(z.int()), download: json(z.int()) },
    fail: { id: 5, request: json(z.string()), response: json(z.null()) },
  },
});
