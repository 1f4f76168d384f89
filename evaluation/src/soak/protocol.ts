// A protocol with calls of every kind, and the handlers that serve it.

import { bytes, defineProtocol, serve, type Transport } from '@trunkline/transport-core';

export const protocol = defineProtocol({
  name: 'soak',
  version: 1,
  channel: 0x20,
  methods: {
    echo: { id: 1, request: bytes, response: bytes },
    /** Answers after 20 ms. */
    late: { id: 2, request: bytes, response: bytes },
    note: { id: 3, request: bytes },
    gather: { id: 4, request: bytes, upload: bytes, response: bytes },
    range: { id: 5, request: bytes, download: bytes },
  },
});

export type Soaked = Transport<typeof protocol>;

/** Counts the one-ways that were handled. */
export interface Handled {
  notes: number;
}

export function serveAll(transport: Soaked): Handled {
  const handled = { notes: 0 };
  serve(transport, {
    echo: (request) => request,
    late: async (request) => {
      await transport.clock.sleep(LATE);
      return request;
    },
    note: () => void handled.notes++,
    async gather(_request, { upload }) {
      let size = 0;
      for await (const item of upload) size += item.length;
      return new Uint8Array(size > 0 ? 1 : 0);
    },
    async *range(request) {
      for (let i = 0; i < ITEMS; i++) yield request;
    },
  });
  return handled;
}

/** The number of items of a stream. */
export const ITEMS = 5;
const LATE = 20;
