import { defineProtocol, json } from 'trunkline';
import * as z from 'zod/mini';

const text = json(z.string());

export const notices = defineProtocol({
  name: 'notices',
  version: 1,
  channel: 0x20,
  methods: {
    join: { id: 1, request: text, response: text },
    show: { id: 2, request: text, response: json(z.boolean()) },
  },
});
