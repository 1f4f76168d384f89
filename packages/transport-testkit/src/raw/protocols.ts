// The protocols of the suite: all shapes of calls, with plain bytes as bodies, so that the raw peer
// needs no codec.

import { bytes, defineProtocol } from '@trunkline/transport-core';

export const suiteProtocol = defineProtocol({
  name: 'lab',
  version: 1,
  channel: 0x20,
  methods: {
    echo: { id: 1, request: bytes, response: bytes },
    hint: { id: 2, request: bytes },
    collect: { id: 3, request: bytes, upload: bytes, response: bytes },
    feed: { id: 4, request: bytes, download: bytes },
    duplex: { id: 5, request: bytes, upload: bytes, download: bytes },
  },
});
export type SuiteProtocol = typeof suiteProtocol;

/** A second protocol on another channel, for traffic that must not affect the first protocol. */
export const sideProtocol = defineProtocol({
  name: 'side',
  version: 1,
  channel: 0x21,
  methods: { echo: { id: 1, request: bytes, response: bytes }, hint: { id: 2, request: bytes } },
});
