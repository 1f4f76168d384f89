// The publisher's process: `publisher.js <kind> [address of its server]`. It publishes as long as
// its subscribers keep up.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { report } from '../commands.ts';
import { fanOutOf } from './kinds.ts';
import { AHEAD, messageOf, STEP, SUBSCRIBERS } from './pace.ts';

export interface PublisherReport {
  readonly address: string;
  /** The port on which subscribers report their progress. */
  readonly pace: number;
}

const [name, server] = process.argv.slice(2);
const kind = await fanOutOf(name!);
const spreader = await kind.open(
  { nodes: SUBSCRIBERS + 1, dials: server === undefined ? [] : [server] },
  () => {},
);
let pacing: Socket | undefined;
const pace = createServer((socket) => {
  pacing = socket;
  void publish(socket);
});
await once(pace.listen(0, '127.0.0.1'), 'listening');
process.on('disconnect', () => {
  pace.close();
  pacing?.destroy();
  void spreader.close();
});
report<PublisherReport>({
  address: server ?? spreader.address,
  pace: (pace.address() as AddressInfo).port,
});

async function publish(socket: Socket): Promise<void> {
  socket.on('error', () => socket.destroy());
  let allowed = AHEAD;
  let published = 0;
  const publishAll = () => {
    while (published < allowed)
      Promise.resolve(spreader.publish(messageOf(published++))).catch(fail);
  };
  const fail = (error: Error) => {
    if (process.connected) throw error;
  };
  // Waits for all subscribers, because a late one would miss the first messages.
  while (server === undefined && spreader.links() < SUBSCRIBERS) await sleep(1);
  socket.on('data', (steps) => {
    allowed += steps.length * STEP;
    publishAll();
  });
  publishAll();
}
