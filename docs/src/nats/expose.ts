// The same methods as plain NATS services, for programs that know nothing of Trunkline.

import { connect } from '@nats-io/transport-node';
import { serveNats } from '@trunkline/transport-nats';
import type { Transport } from 'trunkline';
import type { orders } from './orders.ts';

export async function exposeOrders(transport: Transport<typeof orders>, server: string) {
  const connection = await connect({ servers: server });
  const services = serveNats(transport, { connection, description: 'Takes orders' });
  return async () => {
    await services.stop(); // First: it answers the requests that are under way.
    await connection.close();
  };
}
