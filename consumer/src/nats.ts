// Compiled as a program that uses NATS, in Node and in a page. The declarations of nats-core do not
// pass `exactOptionalPropertyTypes` themselves, so this program needs `skipLibCheck`.

import { bytes, createTransport, defineProtocol, type Transport } from '@trunkline/transport-core';
import { nats } from '@trunkline/transport-nats';

const ledger = defineProtocol({
  name: 'ledger',
  version: 1,
  channel: 0x20,
  methods: { append: { id: 1, request: bytes, response: bytes } },
});

export const transports: Transport<typeof ledger>[] = [
  createTransport('nats://broker/ledger', { protocol: ledger, backends: [nats()] }),
];
