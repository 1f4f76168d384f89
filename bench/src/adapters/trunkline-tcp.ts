// Trunkline over bare TCP: served by handlers, and read by a consumer.

import { createTcpTransport } from '@trunkline/transport-tcp';
import { byConsumer, OPTIONS, trunkline } from './trunkline.ts';

const open = async () => createTcpTransport(OPTIONS);

export const trunklineTcp = trunkline('trunkline-tcp', open);
export const trunklineTcpConsumer = trunkline('trunkline-tcp-consumer', open, byConsumer);
