// Tests of UPnP: the answers to a search for gateways, and the XML of routers.

import { Socket } from 'node:dgram';
import { once } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { escapeXml, findUpnpGateways, locationIn, xmlTags, xmlText } from './upnp.ts';

const DEVICE = 'urn:schemas-upnp-org:device:InternetGatewayDevice:2';

function answer(location: string, device = DEVICE, status = 'HTTP/1.1 200 OK'): string {
  return `${status}\r\nST: ${device}\r\nExt:\r\nLocation:${location}\r\n\r\n`;
}

test('a description is read only on the host that has sent the answer, a gateway of the local network', (t) => {
  const url = 'http://192.168.1.1:5000/d.xml';
  t.is(locationIn(answer(url), '192.168.1.1')?.href, url);
  t.is(locationIn(answer(url), '192.168.1.2'), undefined);
  for (const other of ['http://127.0.0.1/', 'http://localhost/', 'https://192.168.1.1/', '', 'x'])
    t.is(locationIn(answer(other), '192.168.1.1'), undefined, other);
  t.is(locationIn(answer('http://203.0.113.7/d.xml'), '203.0.113.7'), undefined);
  t.is(locationIn(answer(url, 'upnp:rootdevice'), '192.168.1.1'), undefined);
  t.is(locationIn(answer(url, DEVICE, 'NOTIFY * HTTP/1.1'), '192.168.1.1'), undefined);
  for (const text of ['', '\r\n', ':', 'HTTP/1.1 200 OK', '\ud800'])
    t.is(locationIn(text, '192.168.1.1'), undefined);
});

test('a network whose interface has lost its address is not searched', async (t) => {
  const [{ networkInterfaces }, { setMulticastInterface }] = [{ ...os }, Socket.prototype];
  t.teardown(() => {
    Object.assign(os, { networkInterfaces });
    Object.assign(Socket.prototype, { setMulticastInterface });
    syncBuiltinESMExports();
  });
  const lan = [{ family: 'IPv4', internal: false, address: '127.0.0.1' }];
  Object.assign(os, { networkInterfaces: () => ({ lan }) });
  syncBuiltinESMExports();
  const closed = new Promise((resolve) => {
    Socket.prototype.setMulticastInterface = function (address) {
      resolve(once(this, 'close'));
      throw new Error(`setMulticastInterface EADDRNOTAVAIL ${address}`);
    };
  });
  const search = new AbortController();
  const found = findUpnpGateways(createManualClock(), 'x', search.signal).next();
  await closed;
  search.abort();
  t.true((await found).done);
});

test('tags are yielded with their texts, without namespaces, comments and declarations', (t) => {
  const xml =
    '<?xml version="1.0"?><!DOCTYPE a><s:a x="1"><!-- <b>no</b> > --><u:b> one </u:b><c/></s:a >';
  const tags = [...xmlTags(xml)].map(({ name, text }) => `${name}=${text}`);
  t.deepEqual(tags, ['a=', 'b=one', '/b=', 'c=', '/a=']);
});

test('entities are read, and unknown ones stay', (t) => {
  const xml = '<a>&lt;&#65;&#x42;&amp;lt;&nope;&#9999999;&toString;</a>';
  t.is(xmlText(xml, 'a'), '<AB&lt;&nope;&#9999999;&toString;');
  t.is(xmlText(`<a>${escapeXml('<b>&</b>')}</a>`, 'a'), '<b>&</b>');
  t.is(xmlText(xml, 'b'), undefined);
});

test('malformed documents end the reading, and 1 MiB takes time in proportion to its length', (t) => {
  for (const xml of ['', '<', '<a', '<!--', ' <!-- <a>', '>', '< >', '</>'])
    t.true([...xmlTags(xml)].length <= 1, xml);
  for (const piece of ['<', '<a', '<!--', '<a>', '&', '&#', '<a:', '>', '<![CDATA[', '<a ']) {
    const start = performance.now();
    for (const _ of xmlTags(piece.repeat(2 ** 20 / piece.length)));
    // Squared time would be minutes.
    t.true(performance.now() - start < 20_000, piece);
  }
});
