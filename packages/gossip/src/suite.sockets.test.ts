// The suite over sockets on loopback whose ends say who they are.

import { createTcpTransport } from '@trunkline/transport-tcp';
import { createWsTransport } from '@trunkline/transport-ws';
import { idle } from './testing/cluster.ts';
import { gossipSuite } from './testing/suite/gossip-suite.ts';
import { real } from './testing/suite/real-network.ts';

gossipSuite(real('TCP', () => () => ({ proven: false, open: (bindAddr) => createTcpTransport({ protocol: idle, bindAddr }) })));

gossipSuite(real('WebSocket', () => () => ({ proven: false, open: (bindAddr = 'ws://127.0.0.1:0') => createWsTransport({ protocol: idle, bindAddr }) })));
