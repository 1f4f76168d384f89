// The calls that both ends of a faulty connection make to each other.

import { bytes, defineProtocol } from '@trunkline/transport-core';

export const protocol = defineProtocol({
  name: 'faults',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});
