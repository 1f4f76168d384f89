// Stream layer tests of the WebSocket layer, bare and on a server that was passed in.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { streamLayerSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createWsStreamLayer } from './ws-stream-layer.ts';

const malformed = [
  '',
  'nowhere',
  '127.0.0.1:7000',
  'tcp://127.0.0.1:7000',
  'http://127.0.0.1:7000',
  'ws://',
  'ws://127.0.0.1:0/',
  'ws://127.0.0.1:65536/',
  'ws://::1:7000/',
  'ws://a:1/#b',
];

streamLayerSuite(test, {
  name: 'ws',
  make: ({ clock }) => ({
    layer: (bindAddr, advertiseAddr) => createWsStreamLayer({ bindAddr, advertiseAddr, clock }),
    malformed,
  }),
});

const own = "the user's server owns the port";

streamLayerSuite(test, {
  name: 'ws on a given server',
  make: async ({ clock }) => {
    const server = createServer((_request, response) => response.writeHead(404).end()).listen(
      0,
      '127.0.0.1',
    );
    server.setMaxListeners(0);
    await once(server, 'listening');
    let paths = 0;
    return {
      layer: (bindAddr, advertiseAddr) =>
        createWsStreamLayer({
          server,
          path: bindAddr === undefined ? `/path-${++paths}` : new URL(bindAddr).pathname,
          advertiseAddr,
          clock,
        }),
      malformed,
      close: () => void server.close(),
    };
  },
  skip: {
    'close frees the address, and a dial to it is refused': own,
    'a dial to an address without a listener fails with connection_refused and names the address':
      own,
  },
});
