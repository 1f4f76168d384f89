// Tests of the recording of an attack's writes.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import test from 'ava';
import { Recording } from './recording.ts';

test('a replay sends as many bytes as were written, but none that came after its time', async (t) => {
  const received: number[] = [];
  const server = createServer((socket) => {
    const at = received.push(0) - 1;
    socket.on('data', (chunk) => {
      received[at]! += chunk.length;
    });
    socket.on('end', () => socket.end());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;

  const recording = new Recording();
  const socket = recording.watch(connect(port, '127.0.0.1'));
  await once(socket, 'connect');
  for (const size of [1_000, 70_000, 5]) socket.write(new Uint8Array(size));
  socket.end();
  await once(socket, 'close');
  const passed = recording.milliseconds;

  await recording.replay(port, 0);
  await recording.replay(port, passed);
  t.deepEqual(received, [71_005, 0, 71_005]);
  server.close();
});
