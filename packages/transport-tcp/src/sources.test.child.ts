// Child process of sources.test.ts, in a network namespace of its own: a node that allows two
// handshakes per source, and silent connections from many addresses. It prints the outcome of each.

import { connect } from 'node:net';
import { createTransport } from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import { tcp } from './tcp.ts';
import { echo as protocol } from './testing/echo.ts';

const limits = { handshakes: { perSource: 2 } };
const node = createTransport('tcp://[::]:0', {
  protocol,
  advertiseAddr: 'node.example:1',
  limits,
  clock: createManualClock(),
  backends: [tcp()],
});
await node.listen();
const port = Number(node.localAddr().split(':').at(-1));

const silent = [];
for (const localAddress of process.argv.slice(2)) {
  const before = node.snapshot().connections.length;
  const socket = connect({ port, host: localAddress, localAddress });
  silent.push(socket);
  let isOver = false;
  socket.on('error', () => {});
  const over = new Promise((resolve) => socket.once('close', resolve)).then(() => (isOver = true));
  socket.resume();
  while (!isOver && node.snapshot().connections.length === before)
    await Promise.race([over, new Promise(setImmediate)]);
  console.log(localAddress, isOver ? 'refused' : 'in');
}
for (const socket of silent) socket.destroy();
await node.close();
