// Tests of the server: the token, the page's policy, the feed, changes, and lost nodes.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import { createTransport, serve, TransportError } from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import { inmem } from '@trunkline/transport-inmem';
import { ws } from '@trunkline/transport-ws';
import test, { type ExecutionContext } from 'ava';
import { createAdmin } from '../admin.ts';
import { type Dashboard, serveDashboard } from '../index.dashboard.ts';
import { applyPatch } from '../state/merge-patch.ts';
import type { NetworkState } from './network-state.ts';
import { dashboardProtocol } from './protocol.ts';
import { greeter, startNetwork } from './testing/nodes.ts';

/** Connects to the feed of a dashboard as its page does. */
function connect(t: ExecutionContext, { url }: Dashboard, token?: string, origin?: string) {
  const { host, hash } = new URL(url);
  const transport = createTransport({
    protocol: dashboardProtocol,
    hello: { token: token ?? hash.replace('#token=', '') },
    backends: [ws(origin === undefined ? {} : { headers: { origin } })],
  });
  t.teardown(() => transport.close());
  return transport.to(`ws://${host}/feed`);
}

/** Returns the first state of the network that fits. */
async function first(
  client: ReturnType<typeof connect>,
  fits: (network: NetworkState) => boolean,
): Promise<NetworkState> {
  let state: unknown = {};
  for await (const { more, patch } of await client.watch({})) {
    state = applyPatch(state, patch);
    if (!more && fits(state as NetworkState)) return state as NetworkState;
  }
  throw new Error('the feed ended');
}

const areUp = ({ nodes }: NetworkState) =>
  Object.values(nodes).every(({ status }) => status === 'up');

test('the page is served with a strict policy, and nothing else is', async (t) => {
  const { dashboard } = await startNetwork(t, 1);
  t.regex(dashboard.url, /^http:\/\/127\.0\.0\.1:\d+\/#token=[0-9a-f]{32}$/);
  const page = await fetch(dashboard.url);
  t.is(page.status, 200);
  const policy = page.headers.get('content-security-policy')!;
  t.regex(policy, /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+';/);
  t.notRegex(policy, /unsafe|https?:|\*/);
  const html = await page.text();
  t.notRegex(html, /<script[^>]* src=|<link[^>]* href="(?!data:)/);
  const replay = await fetch(new URL('/replay', dashboard.url));
  t.is(replay.status, 200);
  t.regex(await replay.text(), /Content-Security-Policy" content="default-src 'none'/);
  t.is((await fetch(new URL('/other', dashboard.url))).status, 404);
  t.is((await fetch(dashboard.url, { method: 'POST' })).status, 405);
});

test('the dashboard goes on after a connection that the system could not accept', async (t) => {
  const { dashboard } = await startNetwork(t, 1);
  let server: Server | undefined;
  const requested = (message: unknown) => {
    const { request, server: its } = message as { request: { url: string }; server: Server };
    if (request.url === '/accept') server = its;
  };
  subscribe('http.server.request.start', requested);
  await fetch(new URL('/accept', dashboard.url));
  unsubscribe('http.server.request.start', requested);
  t.notThrows(() => server!.emit('error', new Error('accept EMFILE')));
});

test('a ticket leads to the page with its token, once and within a minute', async (t) => {
  const clock = createManualClock();
  const transport = createTransport('inmem://desk', {
    protocol: greeter,
    backends: [inmem()],
    clock,
  });
  const dashboard = await serveDashboard(transport);
  t.teardown(async () => {
    await dashboard.close();
    await transport.close();
  });
  const open = async (address: string, method = 'GET') => {
    const { status, headers } = await fetch(address, { method, redirect: 'manual' });
    return [status, headers.get('location')];
  };
  const ticket = dashboard.ticket();
  const { hash, origin } = new URL(dashboard.url);
  t.true(ticket.startsWith(`${origin}/open/`) && !ticket.includes(hash.slice('#token='.length)));
  t.deepEqual(await open(ticket, 'HEAD'), [404, null]);
  t.deepEqual(await open(ticket), [302, `/${hash}`]);
  t.deepEqual(await open(ticket), [410, null]);
  const late = dashboard.ticket();
  clock.advance(60_000);
  t.deepEqual(await open(late), [410, null]);
  const all = Array.from({ length: 17 }, () => dashboard.ticket());
  t.deepEqual(await open(all[0]!), [410, null]);
  t.deepEqual(await open(all[16]!), [302, `/${hash}`]);
});

test('the feed needs the token', async (t) => {
  const { dashboard } = await startNetwork(t, 1);
  for (const token of ['', 'wrong', `${'0'.repeat(32)}`])
    await t.throwsAsync(connect(t, dashboard, token).watch({}), {
      instanceOf: TransportError,
      message: /needs its token: open the address that it printed/,
    });
  const { nodes } = await first(connect(t, dashboard), areUp);
  t.deepEqual(Object.keys(nodes), ['inmem://node-1']);
});

test('the page may come through a proxy or tunnel if the dashboard has a token', async (t) => {
  const proxy = 'https://dashboard.example';
  const { dashboard } = await startNetwork(t, 1);
  await first(connect(t, dashboard, undefined, proxy), areUp);
  const open = (await startNetwork(t, 1, { token: false })).dashboard;
  await first(connect(t, open, undefined, new URL(open.url).origin), areUp);
  await t.throwsAsync(connect(t, open, undefined, proxy).watch({}), {
    message: /refuses pages of this origin/,
  });
});

test('the feed shows all nodes, and their changes', async (t) => {
  const { dashboard, work } = await startNetwork(t, 3);
  const client = connect(t, dashboard);
  const network = await first(client, areUp);
  t.is(Object.keys(network.nodes).length, 3);
  t.true(network.readonly);
  await work();
  const later = await first(client, ({ nodes }) =>
    Object.values(nodes).every(({ state }) => (state?.totals.served ?? 0) >= 4),
  );
  t.true(later.at > network.at);
  dashboard.remove('inmem://node-2');
  await first(client, ({ nodes }) => Object.keys(nodes).length === 2);
  dashboard.add('inmem://node-2');
  await first(client, (state) => Object.keys(state.nodes).length === 3 && areUp(state));
});

test('a node that is lost keeps its last state, and says why', async (t) => {
  const { dashboard, transports } = await startNetwork(t, 2);
  const client = connect(t, dashboard);
  await first(client, areUp);
  dashboard.add('inmem://nobody');
  await transports[1]!.close();
  const network = await first(client, ({ nodes }) => nodes['inmem://node-2']?.status === 'lost');
  t.truthy(network.nodes['inmem://node-2']!.state);
  t.regex(network.nodes['inmem://node-2']!.error!, /./);
  const { nodes } = await first(
    client,
    (state) => state.nodes['inmem://nobody']?.status === 'lost',
  );
  t.is(nodes['inmem://nobody']!.state, undefined);
});

test('a dashboard changes nodes only if it and the node allow it', async (t) => {
  const { dashboard } = await startNetwork(t, 1);
  const node = 'inmem://node-1';
  const level = { node, action: 'logLevel' as const, request: { level: 'debug' } };
  await t.throwsAsync(connect(t, dashboard).change(level), { message: /only shows nodes/ });
  const open = await startNetwork(t, 2, { readonly: false });
  const client = connect(t, open.dashboard);
  t.deepEqual(await client.change(level), { before: 'info' });
  const network = await first(client, areUp);
  const [connection] = Object.keys(network.nodes[node]!.state!.connections);
  const answer = await client.change({ node, action: 'disconnect', request: { connection } });
  t.deepEqual(answer, { connections: 1 });
  const wrong = { node, action: 'ban' as const, request: { nodeId: '<b>' } };
  await t.throwsAsync(client.change(wrong), { message: /nodeId/ });
  await t.throwsAsync(client.change({ ...level, node: 'inmem://nobody' }), {
    message: /shows no node 'inmem:\/\/nobody'/,
  });
});

test('a program shows its own node, without a connection', async (t) => {
  const backends = [inmem()];
  const admin = createAdmin({ allow: () => false, readonly: false });
  t.throws(() => admin.client(), { message: /call admin\.serve/ });
  const { observer } = admin;
  const node = createTransport('inmem://own', { protocol: greeter, backends, observer });
  serve(node, { greet: (name) => name });
  admin.serve({ transport: node, log: { level: 'info' } });
  await node.listen();
  await using dashboard = await serveDashboard(node, { admin, readonly: false, interval: 250 });
  const client = connect(t, dashboard);
  const { nodes } = await first(client, areUp);
  t.is(Object.keys(nodes['this node']!.state!.connections).length, 0);
  const request = { level: 'loud' };
  const change = { node: 'this node', action: 'logLevel' as const };
  await t.throwsAsync(client.change({ ...change, request }), { code: 'invalid_argument' });
  t.deepEqual(await client.change({ ...change, request: { level: 'warn' } }), { before: 'info' });
  await node.close();
});

test('wrong options are refused', async (t) => {
  const tool = createTransport({ protocol: greeter, backends: [inmem()] });
  t.teardown(() => tool.close());
  const refused = (options: object, message: RegExp) =>
    t.throwsAsync(serveDashboard(tool, options), { instanceOf: TypeError, message });
  await refused({ token: 'short' }, /at least 16 characters/);
  await refused({ interval: 10 }, /250 ms or more, got 10/);
  await refused({ nodes: [''] }, /array of addresses/);
  const { url, close } = await serveDashboard(tool);
  await close();
  const port = Number(new URL(url).port);
  await t.throwsAsync(serveDashboard(tool, { port, host: '::ffff:0.0.0.0' }));
  await (await serveDashboard(tool, { port })).close();
});
