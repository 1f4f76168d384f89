// A protocol that echoes.

import { bytes, defineProtocol } from '@trunkline/transport-core';

export const echo = defineProtocol({
  name: 'echo',
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});
