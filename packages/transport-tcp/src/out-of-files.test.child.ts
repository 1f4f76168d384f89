// Child process of tcp-stream-layer.test.ts, with a low limit on file descriptors: dials until no
// descriptors are left, frees them, and dials again.

import type { TransportError } from '@trunkline/transport-core';
import type { StreamConnection } from '@trunkline/transport-core/backend';
import { createTcpStreamLayer } from './tcp-stream-layer.ts';

const layer = createTcpStreamLayer();
const open = new Set<StreamConnection>();
const failed: string[] = [];

const keep = (connection: StreamConnection) => {
  open.add(connection);
  const gone = (error?: TransportError) => {
    open.delete(connection);
    if (error !== undefined) failed.push(name(error));
  };
  connection.attach({ data() {}, frames() {}, drained() {}, closed: gone });
};
const name = (error: TransportError) =>
  error.reason === undefined ? error.code : `${error.code}/${error.reason}`;

await layer.listen(keep);
const address = layer.localAddr();
const dials = await Promise.allSettled(
  Array.from({ length: 700 }, () => layer.dial(address, { timeout: 10_000 })),
);
for (const dial of dials) {
  if (dial.status === 'fulfilled') keep(dial.value);
  else failed.push(name(dial.reason));
}
const before = [...failed];
for (const connection of [...open]) connection.destroy();
await new Promise<void>((resolve) => {
  const look = () => (open.size === 0 ? resolve() : setImmediate(look));
  look();
});
const again = await layer.dial(address, { timeout: 10_000 });
again.attach({ data() {}, frames() {}, drained() {}, closed() {} });
again.destroy();
await layer.close();
process.stdout.write(JSON.stringify({ failed: before, recovered: true }));
