// ZeroMQ, after the guide and zeromq.js' documentation: a dealer that numbers its requests and a
// router that answers them. A socket takes one send at a time ("only one send operation may be in
// progress at any time"), so that each send waits for the one before.

import { Dealer, Router } from 'zeromq';

/** @type {Record<string, import('../dist/adapters/adapter.js').Adapter>} */
export const adapters = {
  zeromq: {
    async serve(answer) {
      const router = new Router();
      await router.bind('tcp://127.0.0.1:*');
      const out = new Outgoing(router);
      void answerAll(router, out, answer);
      return {
        address: /** @type {string} */ (router.lastEndpoint),
        close: async () => router.close(),
      };
    },

    async connect(address) {
      const dealer = new Dealer({ linger: 0 });
      dealer.connect(address);
      const out = new Outgoing(dealer);
      const pending = new Map();
      let last = 0;
      void settleAll(dealer, pending);
      return {
        call: (request) =>
          new Promise((resolve) => {
            last = (last + 1) >>> 0;
            pending.set(last, resolve);
            const id = Buffer.allocUnsafe(4);
            id.writeUInt32LE(last);
            out.put([id, request]);
          }),
        close: async () => dealer.close(),
      };
    },
  },
};

async function answerAll(router, out, answer) {
  for await (const [peer, id, request] of router) out.put([peer, id, answer(request)]);
}

async function settleAll(dealer, pending) {
  for await (const [id, reply] of dealer) {
    const number = id.readUInt32LE();
    const resolve = pending.get(number);
    pending.delete(number);
    resolve(reply);
  }
}

/** Sends one after the other. */
class Outgoing {
  #socket;
  /** @type {Promise<unknown>} */
  #sent = Promise.resolve();

  constructor(socket) {
    this.#socket = socket;
  }

  put(message) {
    this.#sent = this.#sent.then(() => this.#socket.closed || this.#socket.send(message));
  }
}
