// Tests of the figures that the page shows, and of its history.

import test from 'ava';
import type { NodeConnectionState, NodeState } from '../../state/node-state.ts';
import type { NetworkState } from '../network-state.ts';
import { callRows } from './calls.ts';
import { changesBetween } from './changes.ts';
import { cleanPatch } from './clean-patch.ts';
import { duration, number, shortName, size } from './format.ts';
import { graphOf } from './graph.ts';
import { History } from './history.ts';
import { isolated } from './isolated.ts';
import { placeLabels } from './labels.ts';
import { queueRows, topicLinks } from './rows.ts';
import { titleOf } from './titles.ts';

test('texts and keys of patches are cleaned, and values are counted', (t) => {
  const patch = { 'a\u0007': { b: ['x\u202ey', 1, null] } } as never;
  t.deepEqual(cleanPatch(patch), {
    patch: { 'a\ufffd': { b: ['x\ufffdy', 1, null] } } as never,
    values: 6,
  });
});

test('a link that both ends report is one link, with the rates of the node that dialed', (t) => {
  const network = (at: number, sent: number): NetworkState =>
    networkOf(at, {
      a: { 'out-1': connection('out', 'b', 'instance-b', { in: 10, out: sent }) },
      b: { 'in-1': connection('in', 'a', 'instance-a', { in: sent - 5, out: 10 }) },
    });
  const { vertices, links } = graphOf(network(2_000, 3_000), network(1_000, 1_000));
  t.deepEqual(
    vertices.map(({ key, degree, health }) => [key, degree, health]),
    [
      ['a', 1, 'up'],
      ['b', 1, 'up'],
    ],
  );
  t.is(links.length, 1);
  t.like(links[0], { from: 'a', to: 'b', there: 2_000, back: 0, connections: 1, total: 3_010 });
});

test('a peer that only dials is a client beside its nodes, and not a node', (t) => {
  const anonymous = connection('in', undefined, 'aaaaaaaabbbb', { in: 0, out: 0 });
  const network = networkOf(1, { a: { 'in-1': anonymous }, b: { 'in-1': anonymous } });
  const { vertices, links, clients } = graphOf(network);
  t.deepEqual(
    vertices.map(({ key, degree, clients }) => [key, degree, clients]),
    [
      ['a', 0, 1],
      ['b', 0, 1],
    ],
  );
  t.deepEqual(links, []);
  t.deepEqual(
    clients.map(({ titles: { from, to } }) => [from, to]),
    [
      ['instance aaaaaaaa', 'a'],
      ['instance aaaaaaaa', 'b'],
    ],
  );
});

test('a peer that has an address, is dialed or is a peer of a node is a node', (t) => {
  const silent = connection('in', undefined, 'peer', { in: 0, out: 0 });
  const peers = { id: { instance: 'peer' } } as never;
  const { vertices, clients } = graphOf(
    networkOf(
      1,
      {
        a: {
          'in-1': { ...silent, name: 'browser' },
          'in-2': connection('in', 'tcp://c', 'c', { in: 0, out: 0 }),
          'out-3': { ...connection('out', undefined, 'd', { in: 0, out: 0 }), endpoint: 'tcp://d' },
        },
      },
      { peers },
    ),
  );
  t.deepEqual(
    vertices.map(({ title, health }) => [title, health]),
    [
      ['a', 'up'],
      ['browser', 'unwatched'],
      ['tcp://c', 'unwatched'],
      ['tcp://d', 'unwatched'],
    ],
  );
  t.deepEqual(clients, []);
});

test('nodes have their names as titles, and equal names are told apart', (t) => {
  const state = (name?: string) => ({ status: 'up', state: { node: { name } } });
  const network = {
    nodes: {
      'tcp://a': state('blue'),
      'tcp://b': state('red'),
      'tcp://c': state('red'),
      d: state(),
    },
  } as unknown as NetworkState;
  t.deepEqual(
    ['tcp://a', 'tcp://b', 'tcp://c', 'd', 'ab'.repeat(32)].map((key) => titleOf(network, key)),
    ['blue', 'red (tcp://b)', 'red (tcp://c)', 'd', 'abababab…'],
  );
});

test('labels give way to earlier ones and to all points, and stay inside the picture', (t) => {
  const label = (x: number, y: number) => ({ x, y, width: 60, height: 14 });
  const places = (...labels: ReturnType<typeof label>[]) => placeLabels(labels, 8, 400, 300);
  t.deepEqual(places(label(0, 0)), [{ x: 0, y: 17 }]);
  t.deepEqual(places(label(0, 140)), [{ x: 0, y: 123 }]);
  // Four labels of one point: below, above, right, left; there is no room for a fifth.
  const crowd = places(...Array.from({ length: 5 }, () => label(0, 0)));
  t.deepEqual(crowd, [
    { x: 0, y: 17 },
    { x: 0, y: -17 },
    { x: 41, y: 0 },
    { x: -41, y: 0 },
    undefined,
  ]);
  // A point in the way.
  t.deepEqual(places(label(0, 0), label(10, 20))[0], { x: 0, y: -17 });
});

test('calls of all nodes are summed, and rates count from the moment before', (t) => {
  const calls = (count: number, failed: number, cancelled = 2 * failed) => ({
    'server x/y': {
      ...{ side: 'server' as const, method: 'x/y', active: 1, seconds: 1 },
      ...{
        codes: { ok: count - failed - cancelled, internal: failed, cancelled },
        counts: [count, 0],
        bounds: [0.1],
      },
    },
  });
  const network = (at: number, count: number, failed: number) =>
    networkOf(at, { a: {}, b: {} }, { calls: calls(count, failed) });
  const [row] = callRows(network(3_000, 30, 3), network(1_000, 10, 1), undefined);
  t.like(row, { rate: 20, errorRate: 2, cancelRate: 4, active: 2, nodes: 2, total: 60, p50: 100 });
  t.like(callRows(network(1, 3, 0), undefined, 'a')[0], { rate: 0, errorRate: 0, nodes: 1 });
});

test('the tree of a topic has the eager links', (t) => {
  const tree = {
    neighbors: [
      { id: 'id-b', eager: true },
      { id: 'id-c', eager: false },
    ],
  };
  const topic = { topic: 'news', neighbors: ['id-b', 'id-c'], details: { tree } };
  const network = networkOf(1, { a: {}, b: {} }, { topics: { key: topic } } as never);
  t.deepEqual(topicLinks(network, 'key').slice(0, 2), [
    { from: 'a', to: 'b', eager: true },
    { from: 'a', to: 'id-c', eager: false },
  ]);
});

test('queues and limits tell how full they are', (t) => {
  const full = {
    ...connection('in', 'b', 'i', { in: 0, out: 0 }),
    calls: { in: 5, out: 1 },
    streams: 2,
    inbound: { calls: 2, bytes: 50 },
    fill: { calls: 0.25, streams: 0.5, inbound: 0.75, outbound: 0 },
  };
  const rows = queueRows(networkOf(1, { a: { 'in-1': full } }), 'a');
  t.deepEqual(
    rows.map(({ what, count, share }) => [what, count, share]),
    [
      ['memory of messages', undefined, 0.25],
      ['connections', 1, 0.1],
      ['handshakes', 90, 1],
      ['calls of peers', 3, 0.3],
      ['calls waiting for a reader', 0, undefined],
      ['in-1: calls in flight', 6, 0.25],
      ['in-1: streams', 2, 0.5],
      ['in-1: received', 2, 0.75],
    ],
  );
});

test('the history keeps its span, and thins out when it has too many values', (t) => {
  const history = new History({ span: 100_000, values: 200 });
  for (let at = 0; at <= 300; at++) history.add(networkOf(at * 1_000, {}), 1);
  t.is(history.moments.length, 101);
  t.is(history.moments[0]!.at, 200_000);
  const large = new History({ span: 100_000, values: 200 });
  for (let at = 0; at <= 300; at++) large.add(networkOf(at * 1_000, {}), 20);
  t.true(large.moments.length <= 11, String(large.moments.length));
  t.true(large.moments[0]!.at <= 230_000, String(large.moments[0]!.at));
  t.is(large.moments.at(-1)!.at, 300_000);
  t.is(large.indexAt(0), 0);
  t.is(large.indexAt(1e9), large.moments.length - 1);
});

test('two moments differ in the values that changed', (t) => {
  const network = (waiting: number) => networkOf(waiting, { a: {} }, {}, waiting);
  const { changes, omitted } = changesBetween(network(1), network(4), undefined);
  t.deepEqual(changes, [
    { path: ['a', 'state', 'totals', 'waiting'], before: '1', after: '4', difference: 3 },
  ]);
  t.is(omitted, 0);
  t.is(changesBetween(network(1), network(4), undefined, 0).omitted, 1);
  t.deepEqual(changesBetween(network(1), network(1), 'a').changes, []);
});

test('numbers are formatted for people', (t) => {
  t.deepEqual([number(1_234), number(2_345_678)], ['1,234', '2.3M']);
  t.deepEqual([size(512), size(1_234_567), size(undefined)], ['512B', '1.2MB', '–']);
  t.deepEqual([0.346, 12, 3_400, 125_000, 7_260_000, Number.POSITIVE_INFINITY].map(duration), [
    '0.35 ms',
    '12 ms',
    '3.4 s',
    '2 min 5 s',
    '2 h 1 min',
    'more',
  ]);
  t.is(shortName(`${'ab'.repeat(32)}@tcp://a:1`), 'abababab…@tcp://a:1');
});

function connection(
  direction: 'in' | 'out',
  addr: string | undefined,
  instance: string,
  bytes: { in: number; out: number },
): NodeConnectionState {
  return {
    ...{ endpoint: 'e', direction, state: 'up', instance, since: 0, bytes },
    ...(addr === undefined ? {} : { addr }),
    ...{ calls: { in: 0, out: 0 }, streams: 0, blocked: 0 },
    ...{ inbound: { calls: 0, bytes: 0 }, outbound: { messages: 0, bytes: 0 } },
    fill: { calls: 0, streams: 0, inbound: 0, outbound: 0 },
  };
}

function networkOf(
  at: number,
  connections: Readonly<Record<string, Record<string, NodeConnectionState>>>,
  rest: Partial<NodeState> = {},
  waiting = 0,
): NetworkState {
  const incoming = { calls: 3, bytes: 10 };
  const totals = { memory: 25, waiting, made: 0, served: 0, incoming, handshakes: 90 };
  const limits = {
    ...{ memory: 100, connections: 10, handshakes: 64, calls: 4, streams: 4 },
    ...{ total: { calls: 10, bytes: 100 }, inbound: { calls: 4, bytes: 4 } },
    outbound: { messages: 4, bytes: 4 },
  };
  const nodes = Object.entries(connections).map(([name, each]) => {
    const node = { state: 'open', draining: false, addresses: [name], nodeId: `id-${name}` };
    const state = { at, node, totals, limits, connections: each, calls: {}, errors: {}, ...rest };
    return [name, { status: 'up' as const, state: state as unknown as NodeState }] as const;
  });
  return { at, readonly: true, nodes: Object.fromEntries(nodes) };
}

test('values of a chart between two gaps are found, because no line leads to them', (t) => {
  t.deepEqual(isolated([1, null, 2, null, 3, 4, undefined, 5]), [0, 2, 7]);
  t.deepEqual(isolated([1, 2]), []);
  t.deepEqual(isolated([]), []);
});
