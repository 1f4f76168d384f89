import {
  createTransport,
  defineProtocol,
  inmem,
  json,
  serve,
  type Transport,
  TransportError,
} from 'trunkline';
import { z } from 'zod';

const log = defineProtocol({
  name: 'log',
  version: 1,
  channel: 0x20,
  methods: { append: { id: 1, request: json(z.string()), response: json(z.int()) } },
});

/**
 * Appends at the leader. It follows a refusal to the leader, and retries only requests that no
 * handler can have seen.
 */
async function append(
  client: Transport<typeof log>,
  target: string,
  entry: string,
): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      return await client.send(target, 'append', entry, { timeout: 5_000 });
    } catch (error) {
      if (!(error instanceof TransportError) || tries === 5) throw error;
      const leader = error.metadata?.['leader'];
      if (leader !== undefined) target = leader;
      else if (error.code === 'unavailable' && error.sent === false) await client.clock.sleep(100);
      else throw error;
    }
  }
}

const backends = [inmem()];
const leader = createTransport('inmem://a', { protocol: log, backends });
const entries: string[] = [];
serve(leader, { append: (entry) => entries.push(entry) });
await leader.listen();

const follower = createTransport('inmem://b', { protocol: log, backends });
serve(follower, {
  append() {
    throw new TransportError('failed_precondition', 'b does not lead', {
      metadata: { leader: leader.advertiseAddr() },
    });
  },
});
await follower.listen();

const client = createTransport({ protocol: log, backends });
console.log(await append(client, 'inmem://b', 'first'));
try {
  await append(client, 'inmem://c', 'second');
} catch (caught) {
  const error = caught as TransportError;
  console.log(`${error.code}, ${error.reason}, sent: ${error.sent}`);
  console.log(error.message);
}
for (const transport of [client, follower, leader]) await transport.close();
