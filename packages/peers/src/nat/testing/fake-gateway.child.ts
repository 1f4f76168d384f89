// A fake gateway as a process of its own, which answers UPnP searches (SSDP), too. Started as
// 'fake-gateway.child.js <its address in the local network>'. Commands on stdin, one in each line,
// are answered with a line of JSON.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { startFakeGateway } from './fake-gateway.ts';

const DEVICE = 'urn:schemas-upnp-org:device:InternetGatewayDevice:2';
const [, , address = ''] = process.argv;
// NAT-PMP is answered at an address that no other host reaches.
const gateway = await startFakeGateway('127.0.0.1', address);
let searches = 0;
const socket = createSocket({ type: 'udp4', reuseAddr: true });
socket.on('message', (message, from) => {
  const target = /^ST: (.*)\r$/m.exec(message.toString())?.[1];
  if (!message.toString().startsWith('M-SEARCH ') || target !== DEVICE) return;
  // The first search is lost.
  if (++searches === 1) return;
  const lines = [
    'HTTP/1.1 200 OK',
    'CACHE-CONTROL: max-age=120',
    `ST: ${DEVICE}`,
    `USN: uuid:fake::${DEVICE}`,
    'EXT:',
    'SERVER: fake',
    `LOCATION: ${gateway.url}`,
    '\r\n',
  ];
  socket.send(lines.join('\r\n'), from.port, from.address);
});
socket.bind(1900);
await once(socket, 'listening');
socket.addMembership('239.255.255.250', address);

const commands: Record<string, () => unknown> = {
  mappings: () => [...gateway.mappings],
  searches: () => searches,
};
console.log(JSON.stringify('ready'));
for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(commands[line]!()));
socket.close();
await gateway.close();
