// The protocol that the instances behind a name serve.

import { defineProtocol, json } from '@trunkline/transport-core';
import { z } from 'zod';

/** A method that may be repeated, and one that must not be handled twice. */
export const ledger = defineProtocol({
  name: 'ledger',
  version: 1,
  channel: 0x20,
  methods: {
    read: { id: 1, request: json(z.int()), response: json(z.int()), timeout: 5_000 },
    append: { id: 2, request: json(z.int()), response: json(z.int()), timeout: 5_000 },
  },
});
