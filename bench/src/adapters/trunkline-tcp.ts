// Trunkline over plain TCP: served by handlers, served by a consumer, and with a pipe of fixed
// size.

import { createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { byConsumer, OPTIONS, trunkline } from './trunkline.ts';

const open = async () => createTransport('tcp://127.0.0.1:0', { ...OPTIONS, backends: [tcp()] });

export const trunklineTcp = trunkline('trunkline-tcp', open);
export const trunklineTcpConsumer = trunkline('trunkline-tcp-consumer', open, byConsumer);
/** Limits the bytes in flight to 256 KiB, as `limit-net-credit` does. */
export const trunklineTcpFixed = trunkline('trunkline-tcp-fixed', async () =>
  createTransport('tcp://127.0.0.1:0', {
    ...OPTIONS,
    limits: { credit: { pipe: 256 * 1024 } },
    backends: [tcp()],
  }),
);
