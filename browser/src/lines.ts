// The protocol between the page and the nodes of the tests.

import { bytes, defineProtocol } from '@trunkline/transport-core';

/** `echo` answers at once; `wait` never answers. */
export const lines = defineProtocol({
  name: 'lines',
  version: 1,
  channel: 0x20,
  methods: {
    echo: { id: 1, request: bytes, response: bytes },
    wait: { id: 2, request: bytes, response: bytes },
  },
});

/** Keep-alive that finds a dead connection in under a second. */
export const QUICK = { interval: 400, timeout: 400 };
