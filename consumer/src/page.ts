// A page that uses core and ws: it dials a server, calls it, and is called back. `pnpm check`
// limits the size of its bundle.

import { bytes, createTransport, defineProtocol, json, serve } from '@trunkline/transport-core';
import { ws } from '@trunkline/transport-ws';
import * as z from 'zod/mini';

const chat = defineProtocol({
  name: 'chat',
  version: 1,
  channel: 0x20,
  methods: {
    post: { id: 1, request: json(z.object({ text: z.string() })), response: json(z.number()) },
    typing: { id: 2, request: bytes },
  },
});

export async function main(url: string): Promise<void> {
  const transport = createTransport({ protocol: chat, backends: [ws()] });
  serve(transport, { post: ({ text }) => text.length });
  await transport.send(url, 'post', { text: 'hello' });
  await transport.close();
}
