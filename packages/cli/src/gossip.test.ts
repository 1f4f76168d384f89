// Tests of pub and sub, in networks of live nodes.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fullMesh, partialView } from '@trunkline/gossip';
import { createPeers } from '@trunkline/peers';
import { createTransport, defineProtocol, json } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import test from 'ava';
import { z } from 'zod';
import { folder, startNode, trunkline } from './testing/fixture.ts';

for (const [name, overlay] of [
  ['fullMesh', fullMesh],
  ['partialView', partialView],
] as const) {
  test(`with ${name}, every subscriber of three nodes and a sub get each of five messages`, async (t) => {
    const seed = await startNode(t, { hasGossip: true, overlay: overlay() });
    const seeds = [seed.address];
    const other = { hasGossip: true, overlay: overlay(), seeds };
    const nodes = [seed, await startNode(t, other), await startNode(t, other)];
    for (const { peers } of nodes) await peers!.ready({ peers: 2 });
    const topics = nodes.map(({ gossip }) => gossip!.topic('news', json(z.json())));
    const readers = topics.map((topic) => topic.messages());
    const to = ['--overlay', name, '-a', seed.address];
    const lines = ['1', '2', '3', '4', 'null'];
    let start = () => {};
    const isReading = new Promise<void>((resolve) => (start = resolve));
    const sub = trunkline(['sub', 'news', '--count', '5', ...to], { onErr: () => start() });
    await Promise.race([isReading, sub]);
    const pub = await trunkline(['pub', 'news', ...to], { input: lines.join('\n') });
    t.is(pub.code, 0, pub.err);
    for (const reader of readers) {
      const heard: unknown[] = [];
      while (heard.length < 5) heard.push((await reader.next()).value?.message);
      t.deepEqual(heard.map((message) => JSON.stringify(message)).sort(), lines);
    }
    t.deepEqual((await sub).out.trim().split('\n').sort(), lines);
  });
}

test('a sub ends with an error if another process joins with its key', async (t) => {
  const path = await folder(t);
  const [ca, server, user] = [join(path, 'ca'), join(path, 'server'), join(path, 'user')];
  await trunkline(['cert', 'ca', '-o', ca]);
  for (const out of [server, user])
    await trunkline(['cert', 'issue', '--authority', ca, '-o', out]);
  const [key, cert, authority] = await Promise.all(
    [`${server}.key`, `${server}.crt`, `${ca}.crt`].map((file) => readFile(file, 'utf8')),
  );
  const tls = { key: key!, cert: cert!, ca: authority! };
  const { address } = await startNode(t, { hasGossip: true, tls });
  const files = ['--ca', `${ca}.crt`, '--cert', `${user}.crt`, '--key', `${user}.key`];
  let start = () => {};
  const isReading = new Promise<void>((resolve) => (start = resolve));
  const sub = trunkline(['sub', 'news', '-a', address, ...files], { onErr: () => start() });
  await Promise.race([isReading, sub]);
  const pub = await trunkline(['pub', 'news', '1', '--min', '0', '-a', address, ...files]);
  t.is(pub.code, 0, pub.err);
  const { code, err } = await sub;
  t.is(code, 19);
  t.regex(
    err,
    /another process has joined the network with the same key, \S+user\.key; make a key/,
  );
});

test('a sub says that no node is connected any more', async (t) => {
  const node = await startNode(t, { hasGossip: true });
  const interrupt = new AbortController();
  const { err, code } = await trunkline(['sub', 'news', '-a', node.address], {
    interrupted: interrupt.signal,
    onErr: (text) => {
      if (text.startsWith('reading')) void node.transport.close();
      else interrupt.abort(new Error('interrupted'));
    },
  });
  t.is(code, 130);
  t.regex(err, /^reading news\nno node is connected any more: [^\n]+\n$/);
});

test('pub and sub exchange messages with the network', async (t) => {
  const node = await startNode(t, { hasGossip: true });
  const topic = node.gossip!.topic('news', json(z.json()));
  const to = ['-a', node.address];
  const sub = trunkline(['sub', 'news', '--count', '1', ...to], {
    onErr: () => void topic.publish('rain', { min: 1 }),
  });
  t.is((await sub).out, '"rain"\n');
  const received = topic.messages();
  const pub = await trunkline(['pub', 'news', ...to], { input: '{"a":1}\n"b"\n' });
  t.deepEqual(pub, { code: 0, out: '', err: 'published 2\n' });
  t.deepEqual((await received.next()).value?.message, { a: 1 });
  t.is((await received.next()).value?.message, 'b');
});

test('pub and sub exchange signed messages with --signed; without it, a sub says why it prints nothing', async (t) => {
  const node = await startNode(t, { hasGossip: true, isSigned: true });
  const topic = node.gossip!.topic('news', json(z.json()));
  const to = ['-a', node.address];
  const sub = trunkline(['sub', 'news', '--signed', '--count', '1', ...to], {
    onErr: () => void topic.publish('rain', { min: 1 }),
  });
  t.is((await sub).out, '"rain"\n');
  const received = topic.messages();
  const pub = await trunkline(['pub', 'news', '"snow"', '--signed', ...to]);
  t.is(pub.code, 0, pub.err);
  t.is((await received.next()).value?.message, 'snow');
  const interrupt = new AbortController();
  const { out, err } = await trunkline(['sub', 'news', ...to], {
    interrupted: interrupt.signal,
    onErr: (text) => {
      if (text.startsWith('reading')) void topic.publish('sun').catch(() => {});
      else interrupt.abort(new Error('interrupted'));
    },
  });
  t.is(out, '');
  t.is(err, 'reading news\nmessages are dropped, because they are signed: add --signed\n');
});

test('a sub with --signed says why it prints nothing if messages are not signed', async (t) => {
  const node = await startNode(t, { hasGossip: true });
  const topic = node.gossip!.topic('news', json(z.json()));
  const interrupt = new AbortController();
  const { out, err } = await trunkline(['sub', 'news', '--signed', '-a', node.address], {
    interrupted: interrupt.signal,
    onErr: (text) => {
      if (text.startsWith('reading')) void topic.publish('sun').catch(() => {});
      else interrupt.abort(new Error('interrupted'));
    },
  });
  t.is(out, '');
  t.is(
    err,
    'reading news\nmessages are dropped, because they are not signed: leave out --signed\n',
  );
});

test('a node that only has peers is enough to join', async (t) => {
  const transport = createTransport('tcp://127.0.0.1:0', {
    protocol: defineProtocol({ name: 'p', channel: 0x20, methods: {} }),
    backends: [tcp()],
  });
  const peers = createPeers({ transport });
  await transport.listen();
  await peers.start();
  t.teardown(async () => {
    await peers.close();
    await transport.close();
  });
  const to = ['-a', transport.advertiseAddr()];
  const pub = await trunkline(['pub', 'news', '1', '--min', '0', ...to]);
  t.is(pub.code, 0, pub.err);
  const alone = await trunkline(['pub', 'news', '1', '--timeout', '1s', ...to]);
  t.not(alone.code, 0);
});

test('pub and sub to a node that they cannot join give one clear line at once', async (t) => {
  const { address } = await startNode(t);
  for (const args of [
    ['pub', 'news', '1'],
    ['sub', 'news'],
  ]) {
    const nobody = await trunkline([...args, '-a', 'tcp://127.0.0.1:1']);
    t.is(nobody.code, 24);
    t.regex(
      nobody.err,
      /^trunkline: unavailable \(connection_refused\): [^\n]*127\.0\.0\.1:1[^\n]*\n$/,
    );
    const alone = await trunkline([...args, '-a', address]);
    t.is(alone.code, 19, alone.err);
    t.regex(
      alone.err,
      /^trunkline: failed_precondition [^\n]*; [^\n]*must call createPeers[^\n]*\n$/,
    );
  }
});
