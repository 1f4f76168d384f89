// Hand-written requests and a stream with credit, on the NATS client alone.

import { connect, type NatsConnection } from '@nats-io/transport-node';
import { CHUNK, type Link } from './tasks.ts';

export async function serveBare(servers: string): Promise<void> {
  const nats = await connect({ servers });
  nats.subscribe('bare.echo', {
    callback: (_error, message) => void message.respond(message.data),
  });
  nats.subscribe('bare.stream', {
    callback: (_error, message) => stream(nats, message.string(), message.reply!),
  });
  await nats.flush();
}

/** Publishes chunks to `to` while there is credit, which comes at `credits`: '' ends the stream. */
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

export async function dialBare(servers: string): Promise<Link> {
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
}

/** The bytes on their way at most. */
const CREDIT = 4 * 1024 * 1024;
