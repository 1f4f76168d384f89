// tRPC over WebSocket, after trpc.io/docs/server/websockets: its procedures check requests and
// responses, both at the server. A download is a subscription to an async generator.

import { createTRPCClient, createWSClient, wsLink } from '@trpc/client';
import { initTRPC } from '@trpc/server';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { WebSocket, WebSocketServer } from 'ws';
import { SCHEMAS, service } from '../../dist/real/work.js';
import { clientOptions, listening, serverOf } from './http.mjs';

const { small, order, page, orders } = SCHEMAS;
const { router, procedure } = initTRPC.create();
const answers = (name, request, response) =>
  procedure
    .input(request)
    .output(response)
    .mutation(({ input }) => service[name](input));
const bench = router({
  echo: answers('echo', small, small),
  place: answers('place', order, order),
  list: answers('list', page, orders),
  items: procedure.input(page).subscription(async function* ({ input }) {
    for (const item of service.items(input)) yield small.parse(item);
  }),
});

/** @type {import('../../dist/real/library.js').Library} */
export const library = {
  async serve(carrier) {
    const http = await serverOf(carrier);
    const wss = new WebSocketServer({ server: http });
    applyWSSHandler({ wss, router: bench });
    return {
      address: `${carrier === 'TLS' ? 'wss' : 'ws'}://${await listening(http)}`,
      async close() {
        for (const socket of wss.clients) socket.terminate();
        http.close();
      },
    };
  },

  async connect(carrier, address) {
    const secured = await clientOptions(carrier);
    class Socket extends WebSocket {
      constructor(url, protocols) {
        super(url, protocols, secured);
      }
    }
    const socket = createWSClient({ url: address, WebSocket: /** @type {any} */ (Socket) });
    const client = /** @type {any} */ (createTRPCClient({ links: [wsLink({ client: socket })] }));
    return {
      echo: (request) => client.echo.mutate(request),
      place: (request) => client.place.mutate(request),
      list: (request) => client.list.mutate(request),
      items: (request, take) =>
        new Promise((resolve, reject) => {
          client.items.subscribe(request, {
            onData: take,
            onError: reject,
            onComplete: () => resolve(undefined),
          });
        }),
      close: () => socket.close(),
    };
  },
};
