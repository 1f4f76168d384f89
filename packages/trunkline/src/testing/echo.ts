import { z } from 'zod';
import { defineProtocol, json } from '../index.ts';

/** The protocol of the program in never-closed.ts and its server. */
export const echo = defineProtocol({
  name: 'echo',
  methods: {
    say: { request: json(z.string()), response: json(z.string()) },
    count: { request: json(z.int()), download: json(z.int()) },
  },
});
