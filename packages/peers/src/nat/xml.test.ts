// Tests of reading the XML of routers.

import test from 'ava';
import { escapeXml, xmlTags, xmlText } from './upnp.ts';

test('tags are yielded with their texts, without namespaces, comments and declarations', (t) => {
  const xml =
    '<?xml version="1.0"?><!DOCTYPE a><s:a x="1"><!-- <b>no</b> > --><u:b> one </u:b><c/></s:a >';
  t.deepEqual(
    [...xmlTags(xml)].map(({ name, text }) => `${name}=${text}`),
    ['a=', 'b=one', '/b=', 'c=', '/a='],
  );
});

test('entities are read, and unknown ones stay', (t) => {
  const xml = '<a>&lt;&#65;&#x42;&amp;lt;&nope;&#9999999;&toString;</a>';
  t.is(xmlText(xml, 'a'), '<AB&lt;&nope;&#9999999;&toString;');
  t.is(xmlText(`<a>${escapeXml('<b>&</b>')}</a>`, 'a'), '<b>&</b>');
  t.is(xmlText(xml, 'b'), undefined);
});

test('malformed documents end the reading', (t) => {
  for (const xml of ['', '<', '<a', '<!--', ' <!-- <a>', '>', '< >', '</>']) {
    const tags = [...xmlTags(xml)];
    t.true(tags.length <= 1, xml);
  }
});

test('a document of 1 MiB takes time in proportion to its length', (t) => {
  for (const piece of ['<', '<a', '<!--', '<a>', '&', '&#', '<a:', '>', '<![CDATA[', '<a ']) {
    const start = performance.now();
    for (const _ of xmlTags(piece.repeat(2 ** 20 / piece.length)));
    // Squared time would be minutes.
    t.true(performance.now() - start < 20_000, piece);
  }
});
