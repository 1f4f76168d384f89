// Connects to NATS servers over WebSocket: the NATS client of browsers.

import { wsconnect } from '@nats-io/nats-core';
import type { ConnectToNats } from './nats-client.ts';

export const connectToNats: ConnectToNats = (options) => wsconnect(options);
