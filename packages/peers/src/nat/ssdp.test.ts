// Tests of the answers to a search for gateways.

import test from 'ava';
import { locationIn } from './upnp.ts';

const DEVICE = 'urn:schemas-upnp-org:device:InternetGatewayDevice:2';

function answer(location: string, device = DEVICE, status = 'HTTP/1.1 200 OK'): string {
  return `${status}\r\nST: ${device}\r\nExt:\r\nLocation:${location}\r\n\r\n`;
}

test('a description is read only on the host that has sent the answer', (t) => {
  const url = 'http://192.168.1.1:5000/d.xml';
  t.is(locationIn(answer(url), '192.168.1.1')?.href, url);
  t.is(locationIn(answer(url), '192.168.1.2'), undefined);
  for (const other of ['http://127.0.0.1/', 'http://localhost/', 'https://192.168.1.1/', '', 'x'])
    t.is(locationIn(answer(other), '192.168.1.1'), undefined, other);
});

test('an answer from the internet is ignored', (t) => {
  t.is(locationIn(answer('http://203.0.113.7/d.xml'), '203.0.113.7'), undefined);
});

test('answers of other devices and other messages are ignored', (t) => {
  const url = 'http://192.168.1.1/d.xml';
  t.is(locationIn(answer(url, 'upnp:rootdevice'), '192.168.1.1'), undefined);
  t.is(locationIn(answer(url, DEVICE, 'NOTIFY * HTTP/1.1'), '192.168.1.1'), undefined);
  for (const text of ['', '\r\n', ':', 'HTTP/1.1 200 OK', '\ud800'])
    t.is(locationIn(text, '192.168.1.1'), undefined);
});
