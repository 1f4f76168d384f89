// The protocol of the workers.

import { bytes, defineProtocol } from '@trunkline/transport-core';

export const protocol = defineProtocol({
  name: 'bench-cluster',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});
