// The protocol of victims that only echo.

import { bytes, defineProtocol } from '@trunkline/transport-core';

export const echoProtocol = defineProtocol({
  name: 'echo',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});
