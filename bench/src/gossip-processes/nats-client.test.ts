// Tests the NATS client against a scripted server.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { NatsClient } from './nats-client.ts';

test('messages are parsed wherever the stream is cut, pings are answered, and published messages follow the NATS protocol', async (t) => {
  const heard: string[] = [];
  let said = '';
  let peer!: Socket;
  const server = createServer((socket) => {
    peer = socket.setNoDelay();
    socket.write('INFO {"server_id":"x"}\r\n');
    socket.on('data', (chunk) => {
      said += chunk;
      if (String(chunk).includes('PING\r\n')) socket.write('PONG\r\n');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = await NatsClient.connect(
    `127.0.0.1:${(server.address() as AddressInfo).port}`,
    (message) => heard.push(new TextDecoder().decode(message)),
  );
  await client.subscribe('bench');
  for (const byte of 'MSG bench 1 5\r\na\r\nbc\r\nPING\r\nMSG bench 1 2\r\nde\r\n') {
    peer.write(byte);
    await turn();
  }
  client.publish('bench', new TextEncoder().encode('hello'));
  while (heard.length < 2 || !said.includes('hello\r\n')) await turn();
  t.deepEqual(heard, ['a\r\nbc', 'de']);
  t.regex(said, /^CONNECT \{.*\}\r\nPING\r\nSUB bench 1\r\nPING\r\n/);
  t.regex(said, /PONG\r\n/);
  t.regex(said, /PUB bench 5\r\nhello\r\n/);
  await client.close();
  server.close();
});
