// Trunkline over bare TCP: served by handlers, read by a consumer, and with a pipe that does not grow.

import { createTcpTransport } from '@trunkline/transport-tcp';
import { byConsumer, OPTIONS, trunkline } from './trunkline.ts';

const open = async () => createTcpTransport(OPTIONS);

export const trunklineTcp = trunkline('trunkline-tcp', open);
export const trunklineTcpConsumer = trunkline('trunkline-tcp-consumer', open, byConsumer);
/** As much on its way as `limit-net-credit` has. */
export const trunklineTcpFixed = trunkline('trunkline-tcp-fixed', async () => createTcpTransport({ ...OPTIONS, limits: { credit: { pipe: 256 * 1024 } } }));
