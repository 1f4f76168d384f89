// Tests of the admin protocol: states, events, access, and changes of the node.

import {
  createTransport,
  defineProtocol,
  type Remote,
  type TransportError,
} from '@trunkline/transport-core';
import test from 'ava';
import { actions } from './actions.ts';
import { createAdmin, followNode, type NodeState } from './index.ts';
import { backends, first, fixture, greeter } from './testing/fixture.ts';

test('a tool sees the connections, calls and errors of a node', async (t) => {
  const { client, tool, address } = await fixture(t);
  await client.send(address, 'greet', 'Ada');
  await t.throwsAsync(client.send(address, 'greet', ''), { code: 'not_found' });
  const state = await first(followNode(tool));
  t.is(state.node.state, 'open');
  t.deepEqual(
    [state.node.readonly, state.node.draining, state.node.addresses],
    [true, false, [address]],
  );
  t.deepEqual(state.node.protocols, {
    greeter: { version: 1, channel: 0x20 },
    'trunkline.admin': { version: 1, channel: 6 },
  });
  const { active, codes, counts, bounds } = state.calls['server greeter/greet']!;
  t.deepEqual([active, codes], [0, { ok: 1, not_found: 1 }]);
  t.is(counts.length, bounds.length + 1);
  t.is(
    counts.reduce((sum, count) => sum + count),
    2,
  );
  const [connection] = Object.values(state.connections);
  t.is(connection?.direction, 'in');
  t.is(connection?.state, 'up');
  const [error] = Object.values(state.errors);
  t.like(error, { what: 'handler', where: 'greeter/greet', code: 'not_found', count: 1 });
  t.is(error?.text, 'nobody to greet \ufffd[31m');
  t.is(state.peers, undefined);
  t.is(state.topics, undefined);
});

test('a call that its caller canceled is counted, and is no error', async (t) => {
  const { client, tool, address } = await fixture(t);
  const controller = new AbortController();
  const call = client.send(address, 'ponder', '', { signal: controller.signal });
  await first(followNode(tool), ({ calls }) => calls['server greeter/ponder']?.active === 1);
  controller.abort();
  await t.throwsAsync(call, { code: 'cancelled' });
  const ended = ({ calls }: NodeState) => calls['server greeter/ponder']?.active === 0;
  const state = await first(followNode(tool), ended);
  t.deepEqual(state.calls['server greeter/ponder']?.codes, { cancelled: 1 });
  t.deepEqual(state.errors, {});
});

test('a state that is larger than one item of a stream arrives in parts, as one state', async (t) => {
  const status = { text: 'x'.repeat(500) };
  const list = Array.from({ length: 4_000 }, (_, i) => ({
    ...{ nodeId: `${i}`, proven: true, persistent: false, direction: 'in' as const, score: 0 },
    ...{ instance: `${i}`, status, remote: { id: `in-${i}` } as never },
  }));
  const events = () => (async function* () {})();
  const peers = { nodeId: 'a', list: () => list, events, ban() {}, unban() {} };
  const { tool } = await fixture(t, {}, { peers });
  const state = await first(followNode(tool));
  t.is(Object.keys(state.peers!).length, 2_000);
  t.deepEqual(state.omitted, { peers: 2_000 });
  t.deepEqual(state.peers!['7']?.status, status);
});

test('a tool gets what has changed', async (t) => {
  const { client, tool, address } = await fixture(t);
  const changes = (await tool.watch({ interval: 250 }))[Symbol.asyncIterator]();
  const all = (await changes.next()).value;
  t.true('node' in all.patch && 'totals' in all.patch);
  await client.send(address, 'greet', 'Ada');
  let patch = (await changes.next()).value.patch as any;
  while (patch.calls?.['server greeter/greet'] === undefined)
    patch = (await changes.next()).value.patch;
  t.deepEqual(patch.calls['server greeter/greet'].codes, { ok: 1 });
  t.false('node' in patch);
  t.false('errors' in patch);
  await changes.return?.();
});

test('a state that is followed is the same as a new one', async (t) => {
  const { client, tool, address } = await fixture(t);
  const states = followNode(tool, { interval: 250 });
  await states.next();
  for (const name of ['Ada', '', 'Bob', ''])
    await client.send(address, 'greet', name).catch(() => {});
  let followed = (await states.next()).value!;
  while (Object.values(followed.errors)[0]?.count !== 2) followed = (await states.next()).value!;
  // The first stream stays open until then, because the node records an error when it is left.
  const fresh = await first(followNode(tool));
  for (const key of ['node', 'calls', 'errors'] as const) {
    if (key !== 'calls') t.deepEqual(followed[key], fresh[key]);
    else t.deepEqual(followed.calls['server greeter/greet'], fresh.calls['server greeter/greet']);
  }
  await states.return();
});

test('the rule allow is required, and refuses tools', async (t) => {
  t.throws(() => createAdmin({} as never), { instanceOf: TypeError, message: /allow must be/ });
  const { tool } = await fixture(t, { allow: (_, method) => method === 'events' });
  const watching = async () => first(await tool.watch({}));
  await t.throwsAsync(watching(), { code: 'permission_denied' });
  await t.throwsAsync(tool.drain({}), { code: 'permission_denied', message: /may not call/ });
});

test('a node is readonly unless its admin says otherwise', async (t) => {
  const { tool, node } = await fixture(t, {}, { log: { level: 'info' } });
  const calls = [
    tool.disconnect({ target: 'inmem://x' }),
    tool.ban({ nodeId: 'a'.repeat(64) }),
    tool.unban({ nodeId: 'a'.repeat(64) }),
    tool.drain({}),
    tool.logLevel({ level: 'debug' }),
  ];
  for (const call of calls)
    await t.throwsAsync(call, { code: 'permission_denied', message: /readonly: false/ });
  t.is(node.remotes().length, 1);
});

test('a tool disconnects a connection, and all to a target', async (t) => {
  const { tool, node, client, address } = await fixture(t, { readonly: false });
  const other = createTransport('inmem://other', { protocol: greeter, backends });
  t.teardown(() => other.close());
  await other.listen();
  await node.dial('inmem://other');
  t.deepEqual(await tool.disconnect({ target: 'inmem://other' }), { connections: 1 });
  await other.dial(address);
  const remote = node.remotes().find(({ addr }) => addr === 'inmem://other');
  t.deepEqual(await tool.disconnect({ connection: remote!.id }), { connections: 1 });
  await t.throwsAsync(tool.disconnect({ connection: remote!.id }), { code: 'not_found' });
  await t.throwsAsync(tool.disconnect({ target: 'inmem://other' }), { code: 'not_found' });
  await t.throwsAsync(tool.disconnect({}), { code: 'invalid_argument' });
  const [own] = node.remotes();
  t.deepEqual(await tool.disconnect({ connection: own!.id }), { connections: 1 });
  t.is(await client.send(address, 'greet', 'Ada'), 'Hello, Ada!');
});

test('a tool drains a node, and goes on watching it', async (t) => {
  const { tool, client, address } = await fixture(t, { readonly: false });
  const states = followNode(tool, { interval: 250 });
  await states.next();
  await tool.drain({ grace: 1_000 });
  const refused = await t.throwsAsync(client.send(address, 'greet', 'Ada'));
  t.is((refused as TransportError).reason, 'draining');
  t.true((await first(states, ({ node }) => node.draining)).node.draining);
});

test('a tool sets the level of the log', async (t) => {
  const log = { level: 'info' };
  const { tool } = await fixture(t, { readonly: false }, { log });
  t.deepEqual(await tool.logLevel({ level: 'debug' }), { before: 'info' });
  t.is(log.level, 'debug');
  t.is((await first(followNode(tool))).node.logLevel, 'debug');
});

test('a log whose level cannot be assigned is refused', async (t) => {
  // The level of a logger of bunyan is a method.
  const log = { level: () => 30 } as never;
  await t.throwsAsync(fixture(t, { readonly: false }, { log }), {
    message:
      'admin.serve: log must have its level as a string, as loggers of pino and winston have, got a function',
  });
});

test('without peers or a log, changes of them fail', async (t) => {
  const { tool } = await fixture(t, { readonly: false });
  const code = 'failed_precondition';
  await t.throwsAsync(tool.ban({ nodeId: 'a'.repeat(64) }), { code, message: /no peers/ });
  await t.throwsAsync(tool.logLevel({ level: 'debug' }), { code, message: /no log/ });
});

test('a tool gets events of connections', async (t) => {
  const { tool, node } = await fixture(t);
  const events = (await tool.events({}))[Symbol.asyncIterator]();
  t.like((await events.next()).value, { source: 'admin', type: 'started' });
  const next = events.next();
  await t.throwsAsync(node.dial('inmem://nobody'));
  const { value } = await next;
  t.like(value, { source: 'transport', type: 'dialFailed', target: 'inmem://nobody' });
  t.is((value as any).error.code, 'unavailable');
  t.true(value.at > 0);
  await events.return?.();
});

test('at most as many tools watch a node as its option says', async (t) => {
  const { tool } = await fixture(t, { watchers: 1 });
  const one = (await tool.watch({}))[Symbol.asyncIterator]();
  await one.next();
  const two = async () => first(await tool.events({}));
  await t.throwsAsync(two(), { code: 'resource_exhausted', message: /watchers/ });
  await one.return?.();
});

test('metrics that the node has already are used', async (t) => {
  const { createMetrics } = await import('@trunkline/telemetry');
  const { combineObservers } = await import('@trunkline/transport-core');
  const metrics = createMetrics();
  const admin = createAdmin({ allow: () => true, metrics });
  const protocol = defineProtocol({ name: 'p', channel: 0x20, methods: {} });
  const observer = combineObservers(metrics.observer, admin.observer);
  const node = createTransport('inmem://metered', { protocol, backends, observer });
  const stop = admin.serve({ transport: node });
  t.throws(() => admin.serve({ transport: node }), { instanceOf: TypeError });
  await stop();
  await node.close();
});

test('a peer with a malformed address does not keep others from being disconnected', async (t) => {
  const remotes = () => ['x@y', 'b:1'].map((addr) => ({ id: addr, endpoint: '', addr }) as Remote);
  const disconnected: string[] = [];
  const disconnect = async ({ id }: Remote) => void disconnected.push(id);
  const handlers = actions({ transport: { remotes, disconnect } } as never, false);
  await handlers.disconnect!({ target: 'b:1' }, {} as never);
  t.deepEqual(disconnected, ['b:1']);
});
