// Tests of the commands that look at nodes, against live nodes.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { drain } from '@trunkline/resilience/health';
import { createTransport, defineProtocol, json } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { signalingProtocol } from '@trunkline/transport-webrtc/signaling';
import { ws } from '@trunkline/transport-ws';
import test from 'ava';
import { z } from 'zod';
import { folder, startNode, trunkline } from './testing/fixture.ts';

test('ls lists protocols and methods', async (t) => {
  const { address } = await startNode(t);
  const { out, code } = await trunkline(['ls', '-a', address]);
  t.is(code, 0);
  t.is(
    out,
    'PROTOCOL  VERSIONS  CHANNEL  DESCRIPTION\ndemo      1         32       Shows every kind of method.\n',
  );
  const all = JSON.parse((await trunkline(['ls', '--all', '--json', '-a', address])).out);
  t.deepEqual(
    all.map(({ name }: { name: string }) => name),
    ['demo', 'trunkline.reflection', 'trunkline.health', 'trunkline.admin'],
  );
  const methods = await trunkline(['ls', 'demo', '-a', address]);
  t.regex(methods.out, /demo\/greet +1 +unary +Returns a greeting\.\n/);
});

test('describe shows methods with their schemas', async (t) => {
  const { address } = await startNode(t);
  const { out } = await trunkline(['describe', 'demo/greet', '-a', address]);
  t.regex(out, /^protocol demo, version 1, channel 32\n {2}Shows every kind of method\.\n/);
  t.regex(out, /demo\/greet \(unary, id 1\)\n {2}Returns a greeting\.\n {2}request: json, at most/);
  t.regex(out, /"required":\["name"\]/);
  t.false(out.includes('demo/note'));
});

test('describe and call take a method after a dot, too; a protocol with that name goes first', async (t) => {
  const { address, transport } = await startNode(t);
  const { out, err } = await trunkline(['describe', 'demo.greet', '-a', address]);
  t.is(err, '');
  t.regex(out, /\n\ndemo\/greet \(unary, id 1\)\n/);
  t.is((await trunkline(['call', 'demo.greet', '{"name":"Ada"}', '-a', address])).code, 0);
  transport.mount(defineProtocol({ name: 'demo.greet', methods: {} }));
  const own = await trunkline(['describe', 'demo.greet', '-a', address]);
  t.regex(own.out, /^protocol demo\.greet, version 1/);
});

test('ping measures round trips, also of a node without health', async (t) => {
  const { address } = await startNode(t);
  const options = ['--count', '2', '--interval', '1ms'];
  const { out, code } = await trunkline(['ping', ...options, '-a', address]);
  t.is(code, 0);
  t.regex(out, /^connected to .*\ncall 1: .* m?s\ncall 2: .* m?s\nminimum .*\n$/);
  const bare = await startNode(t, { isBare: true });
  const { defineProjectProtocol } = await import('@trunkline/transport-core/internal');
  bare.transport.mount(
    defineProjectProtocol({ name: 'trunkline.cli', version: 1, channel: 0x0f, methods: {} }),
  );
  const connects = await trunkline(['ping', '--json', ...options, '-a', bare.address]);
  t.is(connects.code, 0, connects.err);
  t.regex(connects.out, /^{"what":"connect","milliseconds":[\d.]+}\n/);
});

test('health shows the status of services, and its exit code says no', async (t) => {
  const { address } = await startNode(t);
  t.deepEqual(await trunkline(['health', '-a', address]), {
    code: 0,
    out: 'SERVICE   STATUS\nthe node  serving\n',
    err: '',
  });
  const { code, out } = await trunkline(['health', 'demo', 'other', '--json', '-a', address]);
  t.is(code, 1);
  t.deepEqual(JSON.parse(out), { demo: 'serving', other: 'unknown' });
});

test('health shows whether a node is ready, and with --live whether it is alive', async (t) => {
  const { address, transport, health } = await startNode(t);
  const ask = (...args: string[]) => trunkline(['health', ...args, '-a', address]);
  health!.set('demo', 'not_serving');
  t.deepEqual(await ask(), { code: 1, out: 'SERVICE   STATUS\nthe node  not_serving\n', err: '' });
  health!.set('demo', 'serving');
  t.is((await ask()).code, 0);
  await drain(transport);
  t.deepEqual(await ask(), {
    code: 1,
    out: 'SERVICE   STATUS\nthe node  not_serving (draining)\n',
    err: '',
  });
  const { code, out } = await ask('--json');
  t.is(code, 1);
  t.deepEqual(JSON.parse(out), { '': 'not_serving' });
  t.deepEqual(await ask('--live'), {
    code: 0,
    out: 'SERVICE   STATUS\nthe node  alive\n',
    err: '',
  });
  t.is((await ask('--live', 'demo')).code, 2);
});

test('health without permission names --live', async (t) => {
  const { address } = await startNode(t, { allow: () => false });
  const ready = await trunkline(['health', '-a', address]);
  t.is(ready.code, 17);
  t.regex(ready.err, /rule for health refuses you; .*--live/);
  t.is((await trunkline(['health', '--live', '-a', address])).code, 0);
});

test('peers, topics and watch show the state of a node', async (t) => {
  const node = await startNode(t, { hasGossip: true });
  const other = await startNode(t, { hasGossip: true });
  other.peers!.add(node.address);
  await node.peers!.ready();
  node.gossip!.topic('news', json(z.string()));
  const to = ['-a', node.address];
  const peers = await trunkline(['peers', ...to]);
  t.regex(peers.out, new RegExp(`${other.peers!.nodeId} +blue-1 +asserted +in +tcp://`));
  t.deepEqual(Object.keys(JSON.parse((await trunkline(['peers', '--json', ...to])).out)), [
    other.peers!.nodeId,
  ]);
  const topics = await trunkline(['topics', ...to]);
  t.regex(topics.out, /^TOPIC +OVERLAY .*\nnews +fullMesh +/);
  const watched = await trunkline(['watch', '--count', '1', ...to]);
  t.regex(watched.out, /^ID +DIRECTION .*\nin-1 +in +up +\S+ +blue-1 /);
  t.regex(watched.out, /00:00:00\.000 peers up peer=/);
  const events = await trunkline(['watch', '--count', '1', '--json', ...to]);
  t.is(JSON.parse(events.out).type, 'up');
});

test('top prints calls by method, and sorts them by keys', async (t) => {
  const { address, transport } = await startNode(t);
  const client = createTransport({ protocol: transport.protocol, backends: [tcp()] });
  t.teardown(() => client.close());
  await client.send(address, 'greet', { name: 'Ada' });
  const top = ['top', '--interval', '250ms', '-a', address];
  const { out, code } = await trunkline([...top, '--count', '1', '--json']);
  t.is(code, 0);
  t.is(JSON.parse(out).name, 'blue-1');
  t.like(JSON.parse(out).methods[0], {
    method: 'demo/greet',
    side: 'server',
    active: 0,
    errors: 0,
  });
  const text = await trunkline([...top, '--count', '1']);
  t.regex(text.out, /^blue-1 {2}tcp:.* open /);
  t.regex(
    text.out,
    /METHOD +SIDE +CALLS\/S +ERRORS\/S +CANCELED\/S +P50 +P99 +ACTIVE\ndemo\/greet +server +0\.0 +0\.0 +0\.0 /,
  );
  let press = (_: string) => {};
  const pressed = new Promise<string>((resolve) => (press = resolve));
  const keys = async function* () {
    yield 'm';
    yield await pressed;
  };
  const live = await trunkline(top, {
    isTerminal: true,
    keys: keys(),
    onOut: (screen) => {
      if (screen.includes('sorted by method')) press('q');
    },
  });
  t.is(live.code, 0);
  t.true(live.out.startsWith('\u001b[?1049h') && live.out.endsWith('\u001b[?1049l'));
  const broken = async function* () {
    yield 'm';
    throw new Error('setRawMode EIO');
  };
  const blind = await trunkline([...top, '--count', '2'], { isTerminal: true, keys: broken() });
  t.is(blind.code, 0);
  t.true(blind.out.endsWith('\u001b[?1049l'));
});

test('bench measures a method', async (t) => {
  const { address } = await startNode(t);
  const bench = ['bench', 'demo/greet', '{"name":"Ada"}', '-n', '50', '-c', '5', '-a', address];
  const { out, code } = await trunkline(bench);
  t.is(code, 0);
  t.regex(out, /^50 calls, 0 failed, \d+ calls a second\np50 .*, maximum .*\n/);
  t.regex(out, /█ \d+\n$/);
  const { calls, milliseconds } = JSON.parse((await trunkline([...bench, '--json'])).out);
  t.is(calls, 50);
  t.true(milliseconds.p50 <= milliseconds.max);
  const wrong = await trunkline(['bench', 'demo/note', '-a', address]);
  t.is(wrong.code, 2);
});

test('schema diff compares files and nodes, and its exit code says no', async (t) => {
  const { address } = await startNode(t);
  const exported = await trunkline(['schema', 'export', '-a', address]);
  const [description] = JSON.parse(exported.out);
  const path = await folder(t);
  const same = join(path, 'same.json');
  await writeFile(same, exported.out);
  t.deepEqual(await trunkline(['schema', 'diff', same, address]), {
    code: 0,
    out: 'no changes\n',
    err: '',
  });
  const before = join(path, 'before.json');
  description.methods[0].id = 9;
  await writeFile(before, JSON.stringify(description));
  const { code, out } = await trunkline(['schema', 'diff', before, address]);
  t.is(code, 1);
  t.regex(out, /METHOD_ID_CHANGED +demo\/greet +callers, servers +the id changed from 9 to 1\n/);
  const missing = await trunkline(['schema', 'diff', 'nothing.json', address]);
  t.is(missing.code, 15);
  for (const [format, key] of [
    ['json-schema', '$defs'],
    ['asyncapi', 'asyncapi'],
  ] as const) {
    const made = await trunkline(['schema', 'export', '--format', format, '-a', address]);
    t.true(key in JSON.parse(made.out));
  }
});

test('texts of a node cannot control the terminal', async (t) => {
  const backends = [tcp()];
  const protocol = defineProtocol({
    name: 'evil',
    channel: 0x20,
    doc: 'red \u001b[31m\u202e\u009b2J',
    methods: {},
  });
  const node = createTransport('tcp://127.0.0.1:0', { protocol, backends });
  const { serveReflection } = await import('@trunkline/admin/reflection');
  serveReflection(node);
  await node.listen();
  t.teardown(() => node.close());
  for (const args of [
    ['ls'],
    ['ls', '--json'],
    ['describe', 'evil'],
    ['describe', 'evil', '--json'],
  ]) {
    const { out, code } = await trunkline([...args, '-a', node.advertiseAddr()]);
    t.is(code, 0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    t.notRegex(out, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  }
  const { address, log } = await startNode(t, { isWritable: true });
  log.level = '\u001b[31m';
  const { out } = await trunkline(['log-level', 'info', '-a', address]);
  t.is(out, 'info, before \ufffd[31m\n');
});

test('proxy passes a line on, and keys change it', async (t) => {
  const node = await startNode(t);
  const interrupt = new AbortController();
  let address = (_: string) => {};
  const listening = new Promise<string>((resolve) => (address = resolve));
  const pressed: ((key: string) => void)[] = [];
  const keys = async function* () {
    for (;;) yield await new Promise<string>((resolve) => pressed.push(resolve));
  };
  const told: string[] = [];
  const proxy = trunkline(['proxy', node.address, '--latency', '5ms', '--rate', '10M'], {
    keys: keys(),
    interrupted: interrupt.signal,
    onOut: (text) => address(/listening on (\S+),/.exec(text)![1]!),
    onErr: (text) => told.push(text),
  });
  const to = `tcp://${await listening}`;
  const press = async (key: string) => {
    const seen = told.length;
    while (pressed.length === 0) await new Promise((resolve) => setImmediate(resolve));
    pressed.shift()!(key);
    while (told.length === seen) await new Promise((resolve) => setImmediate(resolve));
    return told.at(-1)!;
  };
  const call = ['call', 'demo/greet', '{"name":"Ada"}', '-a', to];
  t.is((await trunkline(call)).out, '{"text":"Hello, Ada!"}\n');
  t.regex(told[0]!, /latency 5\.00 ms, jitter none, rate 10\.0 MB\/s/);
  t.regex(await press('+'), /latency 55\.0 ms/);
  t.regex(await press('n'), /refusing connections/);
  t.is((await trunkline([...call, '--timeout', '2s'])).code, 24);
  t.regex(await press('0'), /latency none, jitter none, rate unlimited, 0 connections/);
  t.is((await trunkline(call)).code, 0);
  t.regex(await press('b'), /losing all bytes/);
  t.not((await trunkline([...call, '--timeout', '300ms'])).code, 0);
  while (pressed.length === 0) await new Promise((resolve) => setImmediate(resolve));
  pressed.shift()!('q');
  t.is((await proxy).code, 0);
});

test('disconnect, ban, drain and log-level change a node that lets its tools', async (t) => {
  const node = await startNode(t, { hasGossip: true, isWritable: true });
  const other = await startNode(t, { hasGossip: true });
  other.peers!.add(node.address);
  await node.peers!.ready();
  const to = ['-a', node.address];
  const { nodeId } = other.peers!;
  t.deepEqual(await trunkline(['log-level', 'debug', ...to]), {
    code: 0,
    out: 'debug, before info\n',
    err: '',
  });
  t.is(node.log.level, 'debug');
  const { connection } = Object.values(
    JSON.parse((await trunkline(['peers', '--json', ...to])).out) as Record<string, any>,
  )[0];
  t.is((await trunkline(['disconnect', connection, ...to])).out, 'closed 1 connection\n');
  const unknown = await trunkline(['disconnect', 'tcp://127.0.0.1:1', ...to]);
  t.is(unknown.code, 15);
  t.is((await trunkline(['ban', nodeId, '--time', '1m', ...to])).out, 'banned\n');
  t.is((await trunkline(['unban', nodeId, '--json', ...to])).out, '{}\n');
  const nobody = await trunkline(['ban', 'nobody', ...to]);
  t.is(nobody.code, 2);
  t.regex(nobody.err, /expected a node id of 64 hex digits, got 'nobody'; trunkline peers shows/);
  t.is((await trunkline(['drain', '--grace', '1s', ...to])).out, 'drained\n');
  const late = await trunkline(['call', 'demo/greet', '{"name":"Ada"}', ...to]);
  t.regex(late.err, /draining/);
  const readonly = await trunkline(['drain', '-a', other.address]);
  t.is(readonly.code, 17);
  t.regex(readonly.err, /^trunkline: permission_denied \(denied\): this node lets tools only read/);
});

test('dashboard, signal and proxy serve until they are interrupted', async (t) => {
  const servers: Server[] = [];
  const accepted = (message: unknown) => servers.push((message as any).socket.server);
  subscribe('net.server.socket', accepted);
  t.teardown(() => unsubscribe('net.server.socket', accepted));
  const { address } = await startNode(t);
  const until = async (args: string[], use: (out: string) => Promise<void>) => {
    const end = new AbortController();
    let told = (_: string) => {};
    const printed = new Promise<string>((resolve) => (told = resolve));
    const outcome = trunkline(args, { interrupted: end.signal, onOut: told });
    await use(await Promise.race([printed, outcome.then(({ err }) => err)]));
    end.abort();
    t.is((await outcome).code, 130);
  };
  await until(['dashboard', address], async (out) => {
    const url = /^open (http:\/\/127\.0\.0\.1:\d+\/#token=[0-9a-f]{32})\n$/.exec(out)?.[1];
    t.truthy(url, out);
    t.regex(await (await fetch(url!)).text(), /^<!doctype html>/);
  });
  const end = new AbortController();
  let browse = (_: string) => {};
  const opened = new Promise<string>((resolve) => (browse = resolve));
  const opening = trunkline(['dashboard', '--open', address], {
    interrupted: end.signal,
    onBrowse: browse,
  });
  const page = await fetch(await Promise.race([opened, opening.then(({ err }) => err)]));
  t.true(page.redirected);
  t.regex(await page.text(), /^<!doctype html>/);
  end.abort();
  await opening;
  t.is((await trunkline(['dashboard'])).code, 2);
  await until(['signal', '--bind', '127.0.0.1:0', '--realm', 'main', '--json'], async (out) => {
    const { address: hub } = JSON.parse(out);
    t.regex(hub, /^ws:\/\/127\.0\.0\.1:\d+/);
    const signaling = createTransport({ protocol: signalingProtocol, backends: [ws()] });
    await signaling.dial(hub);
    await signaling.close();
  });
  const to = address.replace('tcp://', '');
  await until(['proxy', to, '--json'], async (out) => {
    const proxy = JSON.parse(out);
    t.is(proxy.to, to);
    t.is((await trunkline(['health', '-a', `tcp://${proxy.address}`])).code, 0);
    const [, port] = proxy.address.split(':');
    const server = servers.find((each) => (each.address() as AddressInfo)?.port === Number(port));
    t.notThrows(() => server!.emit('error', new Error('accept EMFILE')));
  });
});
