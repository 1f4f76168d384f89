// Trunkline over bare TCP.

import { createTcpTransport } from '@trunkline/transport-tcp';
import { OPTIONS, trunkline } from './trunkline.ts';

export const trunklineTcp = trunkline('trunkline-tcp', async () => createTcpTransport(OPTIONS));
