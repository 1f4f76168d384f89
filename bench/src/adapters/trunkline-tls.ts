// Trunkline over TCP with mutual TLS.

import { createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { tlsOf } from '../secure/nodes.ts';
import { OPTIONS, trunkline } from './trunkline.ts';

export const trunklineTls = trunkline('trunkline-tls', async (role) =>
  createTransport('tcp://127.0.0.1:0', { ...OPTIONS, backends: [tcp({ tls: await tlsOf(role) })] }),
);
