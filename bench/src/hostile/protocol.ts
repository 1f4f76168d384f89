// The protocol of the honest peers and of the attacker.

import { bytes, defineProtocol } from '@trunkline/transport-core';

export const protocol = defineProtocol({
  name: 'hostile',
  version: 1,
  channel: 0x20,
  methods: {
    echo: { id: 1, request: bytes, response: bytes },
    /** Answers with as many times 64 KiB as the first byte says. */
    fill: { id: 2, request: bytes, response: bytes },
    /** Never answers before it is cancelled. */
    wait: { id: 3, request: bytes, response: bytes },
    /** Carries the time at which it was sent. */
    tick: { id: 4, request: bytes },
  },
});
