import { defineProtocol, json } from 'trunkline';
import { z } from 'zod';

export const greeter = defineProtocol({
  name: 'greeter',
  methods: {
    greet: { request: json(z.object({ name: z.string() })), response: json(z.string()) },
  },
});
