// Trunkline over TCP with mutual TLS.

import { createTcpTransport } from '@trunkline/transport-tcp';
import { tlsOf } from '../secure/nodes.ts';
import { OPTIONS, trunkline } from './trunkline.ts';

export const trunklineTls = trunkline('trunkline-tls', async (role) =>
  createTcpTransport({ ...OPTIONS, tls: await tlsOf(role) }),
);
