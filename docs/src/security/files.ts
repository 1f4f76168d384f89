// A node that loads its key and its certificates from files.

import { loadCertificate, loadIdentity } from '@trunkline/security/node';
import { createTransport, defineProtocol, json, tcp } from 'trunkline';
import { z } from 'zod';

const chat = defineProtocol({
  name: 'chat',
  version: 1,
  channel: 0x20,
  methods: { say: { id: 1, request: json(z.string()), response: json(z.string()) } },
});

export async function start() {
  const identity = await loadIdentity('ada.key');
  const tls = {
    key: identity.key,
    cert: await loadCertificate('ada.crt'),
    ca: await loadCertificate('ca.crt'),
  };
  const transport = createTransport('tcp://0.0.0.0:7000', {
    protocol: chat,
    backends: [tcp({ tls })],
  });
  await transport.listen();
  return transport;
}
