// Trunkline over plain TCP: served by handlers, served by a consumer, and with a pipe of fixed
// size.

import { createTcpTransport } from '@trunkline/transport-tcp';
import { byConsumer, OPTIONS, trunkline } from './trunkline.ts';

const open = async () => createTcpTransport(OPTIONS);

export const trunklineTcp = trunkline('trunkline-tcp', open);
export const trunklineTcpConsumer = trunkline('trunkline-tcp-consumer', open, byConsumer);
/** Limits the bytes in flight to 256 KiB, as `limit-net-credit` does. */
export const trunklineTcpFixed = trunkline('trunkline-tcp-fixed', async () =>
  createTcpTransport({ ...OPTIONS, limits: { credit: { pipe: 256 * 1024 } } }),
);
