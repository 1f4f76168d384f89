import { defineProtocol, json } from '@trunkline/transport-core';
import { z } from 'zod';

export const greeter = defineProtocol({
  name: 'greeter',
  version: 1,
  channel: 0x20,
  methods: {
    greet: { id: 1, request: json(z.object({ name: z.string() })), response: json(z.string()) },
  },
});
