// The protocol of a program that a test starts.

import { bytes, defineProtocol } from '@trunkline/transport-core';

export const echo = defineProtocol({
  name: 'echo',
  methods: { echo: { request: bytes, response: bytes } },
});
