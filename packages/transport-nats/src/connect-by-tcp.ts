// Connects to NATS servers over TCP and TLS: the NATS client of Node.

import { connect } from '@nats-io/transport-node';
import type { ConnectToNats } from './nats-client.ts';

export const connectToNats: ConnectToNats = (options) => connect(options);
