// A process in a network namespace with two addresses: at one it answers the search for routers
// falsely, at the other it is an honest router. Prints a line when it is ready and, after a line on
// stdin, the number of HTTP requests that the attacker got.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';

const ATTACKER = '192.168.78.1';
const HONEST = '192.168.78.3';
const VICTIM = '192.168.78.2';
const DEVICE = 'urn:schemas-upnp-org:device:InternetGatewayDevice:2';
const WAN = 'urn:schemas-upnp-org:service:WANIPConnection:2';
const XML = { 'content-type': 'text/xml' };
const hangs = process.argv[2] === 'hang';
let requests = 0;

const web = createServer((_request, response) => {
  requests++;
  if (!hangs) response.writeHead(404).end();
});
web.listen(8_080, ATTACKER);
await once(web, 'listening');

const router = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const action = /<u:(\w+)/.exec(body)?.[1];
  response
    .writeHead(200, XML)
    .end(
      action === undefined
        ? `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceType>${DEVICE}</deviceType><UDN>uuid:h</UDN><serviceList><service><serviceType>${WAN}</serviceType><serviceId>h</serviceId><SCPDURL>/s</SCPDURL><controlURL>/control</controlURL><eventSubURL>/e</eventSubURL></service></serviceList></device></root>`
        : `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><u:${action}Response xmlns:u="${WAN}"><NewReservedPort>7000</NewReservedPort><NewExternalIPAddress>203.0.113.7</NewExternalIPAddress></u:${action}Response></s:Body></s:Envelope>`,
    );
});
router.listen(8_080, HONEST);
await once(router, 'listening');

const [attacker, honest] = [createSocket('udp4'), createSocket('udp4')];
attacker.bind(0, ATTACKER);
honest.bind(0, HONEST);
const listener = createSocket({ type: 'udp4', reuseAddr: true });
listener.on('message', (message, { port, address }) => {
  if (!message.toString().startsWith('M-SEARCH ')) return;
  for (const datagram of [
    '',
    '\n',
    'X * HTTP/1.1\r\n\r\n',
    'HTTP/1.1 200 OK\r\n\r\n',
    `HTTP/1.1 200 OK\r\nST: ${DEVICE}\r\nUSN: a\r\nLOCATION: http://${ATTACKER}:1/\r\n\r\n`,
    answer(''),
    answer('no URL'),
    answer('file:///etc/passwd'),
    answer('http://127.0.0.1:8080/loopback'),
    answer(`http://${VICTIM}:8080/own`),
    answer(`http://${ATTACKER}@${VICTIM}:8080/user`),
    answer('http://localhost:8080/name'),
    answer('http://[::1]:8080/ipv6'),
    answer(`\u001b[2J${ATTACKER}`),
    'A'.repeat(9_000),
    ...Array.from({ length: 1_000 }, (_, i) => answer(`http://${ATTACKER}:8080/${i}`)),
  ])
    attacker.send(datagram, port, address);
  setTimeout(() => honest.send(answer(`http://${HONEST}:8080/d.xml`), port, address), 200);
});
listener.bind(1_900);
await once(listener, 'listening');
listener.addMembership('239.255.255.250', ATTACKER);
console.log('ready');
process.stdin.once('data', () => console.log(requests));

function answer(location: string): string {
  return [
    'HTTP/1.1 200 OK',
    'CACHE-CONTROL: max-age=120',
    `ST: ${DEVICE}`,
    `USN: uuid:${location}::${DEVICE}`,
    'EXT:',
    `LOCATION: ${location}`,
    '\r\n',
  ].join('\r\n');
}
