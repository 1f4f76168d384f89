// Hand-written requests and a stream with credit, on the NATS client alone.

import { connect, type NatsConnection } from '@nats-io/transport-node';
import { startNatsServer } from '@trunkline/local-nats';
import type { Adapters } from '../adapters/adapter.ts';

/** The chunks of the stream, in bytes. */
export const CHUNK = 64 * 1024;
/** The bytes on their way at most. */
const CREDIT = 4 * 1024 * 1024;

export const adapters: Adapters = {
  'bare-nats': {
    async serve(answer) {
      const { address, kill } = await startNatsServer();
      const nats = await connect({ servers: address });
      nats.subscribe('bare.echo', {
        callback: (_error, message) => void message.respond(answer(message.data)),
      });
      nats.subscribe('bare.stream', {
        callback: (_error, message) => stream(nats, message.string(), message.reply!),
      });
      await nats.flush();
      return { address, close: () => nats.close().finally(kill) };
    },

    async connect(servers) {
      const nats = await connect({ servers });
      let count = 0;
      return {
        call: async (request) => (await nats.request('bare.echo', request)).data,
        stream: (take) =>
          new Promise((resolve) => {
            const id = `bare.${nats.info!.client_id}.${++count}`;
            let taken = 0;
            let isOver = false;
            const subscription = nats.subscribe(`${id}.chunks`, {
              callback: (_error, { data }) => {
                if (isOver) return;
                isOver = !take(data.length);
                taken += data.length;
                if (isOver) {
                  subscription.unsubscribe();
                  nats.publish(`${id}.more`, '0');
                  resolve();
                } else if (taken >= CREDIT / 4) {
                  nats.publish(`${id}.more`, String(taken));
                  taken = 0;
                }
              },
            });
            nats.publish('bare.stream', `${id}.chunks`, { reply: id });
          }),
        close: () => nats.close(),
      };
    },
  },
};

/** Publishes chunks to `to` while there is credit, which comes at `credits`: '0' ends the stream. */
function stream(nats: NatsConnection, to: string, credits: string): void {
  const chunk = new Uint8Array(CHUNK);
  let left = CREDIT;
  const pump = () => {
    for (; left >= CHUNK; left -= CHUNK) nats.publish(to, chunk);
  };
  const subscription = nats.subscribe(`${credits}.more`, {
    callback: (_error, message) => {
      const units = Number(message.string());
      if (units === 0) return subscription.unsubscribe();
      left += units;
      pump();
    },
  });
  pump();
}
