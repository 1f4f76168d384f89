import { z } from 'zod';
import { defineProtocol, json } from '../index.ts';

/** The protocol of the programs in this folder, and of their servers in the tests. */
export const echo = defineProtocol({
  name: 'echo',
  methods: {
    say: { request: json(z.string()), response: json(z.string()) },
    count: { request: json(z.int()), download: json(z.int()) },
  },
});
