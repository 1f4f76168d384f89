// Tests that a start that fails names the part that failed, and leaves nothing open.

import process from 'node:process';
import { setImmediate as turn } from 'node:timers/promises';
import { nodeProbe } from '@trunkline/transport-testkit';
import test, { type ExecutionContext } from 'ava';
import { createNode, type MeshNode, type NodePart } from '../index.mesh.ts';
import { createMemoryAddressBook } from '../index.peers.ts';
import { createTransport } from '../index.ts';
import { addressOf, greeter, handlers, text } from './testing/fixture.ts';

/** Returns a part that logs its start and its close. */
const logging = (log: string[], name: string): NodePart => ({
  name,
  start: () => void log.push(`start ${name}`),
  close: () => void log.push(`close ${name}`),
});

/** Tests that a node can still listen on an address, so that nobody else does. */
async function isFree(t: ExecutionContext, address: string): Promise<void> {
  const transport = createTransport(address, { protocol: greeter });
  await t.notThrowsAsync(transport.listen());
  await transport.close();
}

async function openResources(): Promise<string[]> {
  for (let i = 0; i < 10; i++) await turn();
  return [...nodeProbe(process).resources()].filter((name) => /TCP|Timeout/.test(name)).sort();
}

// These tests are serial because they check the open resources of this process.
test.serial('an address in use fails the start, and leaves nothing open', async (t) => {
  const round = async () => {
    const holder = createTransport('tcp://127.0.0.1:0', { protocol: greeter });
    await holder.listen();
    const address = holder.localAddr();
    const log: string[] = [];
    const error = await t.throwsAsync(
      createNode({
        address: ['tcp://127.0.0.1:0', address],
        name: 'blue-3',
        protocol: greeter,
        handlers,
        peers: { seeds: ['tcp://127.0.0.1:1'] },
        gossip: { topics: { news: text } },
        parts: [logging(log, 'one'), logging(log, 'two')],
      }),
      { code: 'unavailable' },
    );
    t.like(error, { reason: 'address_in_use' });
    t.regex(error!.message, /^createNode: node 'blue-3': transport: Cannot listen on tcp:/);
    t.true(error!.cause instanceof Error);
    t.deepEqual(log, ['start one', 'start two', 'close two', 'close one']);
    await holder.close();
  };
  await round();
  const before = await openResources();
  for (let i = 0; i < 3; i++) await round();
  t.deepEqual(await openResources(), before);
});

test.serial('a node over TCP that was closed leaves no handle and no timer', async (t) => {
  const round = async () => {
    const node = await createNode({
      address: 'tcp://127.0.0.1:0',
      protocol: greeter,
      gossip: { topics: { news: text } },
    });
    const other = await createNode({
      address: 'tcp://127.0.0.1:0',
      protocol: greeter,
      peers: { seeds: [node.transport.advertiseAddr()] },
      gossip: { topics: { news: text } },
    });
    await other.peers.ready();
    await other.close();
    await node.close();
  };
  await round();
  const before = await openResources();
  for (let i = 0; i < 3; i++) await round();
  t.deepEqual(await openResources(), before);
});

test('a part whose start rejects fails the start; only the parts before it are closed', async (t) => {
  const address = addressOf(t, 'a');
  const log: string[] = [];
  const broken = (error: unknown): NodePart => ({
    ...logging(log, 'two'),
    start: () => Promise.reject(error),
  });
  const start = (error: unknown) =>
    createNode({
      address,
      protocol: greeter,
      parts: [logging(log, 'one'), broken(error), logging(log, 'three')],
    });
  await t.throwsAsync(start(new Error('no disk')), {
    code: 'internal',
    message: "createNode: parts[1] 'two': no disk",
  });
  t.deepEqual(log, ['start one', 'close one']);
  await t.throwsAsync(start('no disk'), { message: "createNode: parts[1] 'two': no disk" });
  await t.throwsAsync(start(new TypeError('two: size: must be 1')), {
    instanceOf: TypeError,
    message: "createNode: parts[1] 'two'.size: must be 1",
  });
  await isFree(t, address);
});

test('an address book that is in use fails the start after the node listened', async (t) => {
  const address = addressOf(t, 'a');
  const addressBook = createMemoryAddressBook();
  addressBook.load = () => Promise.reject(new Error('the book is locked'));
  const log: string[] = [];
  const starting = createNode({
    address,
    protocol: greeter,
    peers: { addressBook },
    parts: [logging(log, 'one')],
  });
  const error = await t.throwsAsync(starting);
  t.regex(error!.message, /^createNode: peers: .*the book is locked/);
  t.deepEqual(log, ['start one', 'close one']);
  await isFree(t, address);
});

test('a store that fails, fails the start before the node listens', async (t) => {
  const fails = () => Promise.reject(new Error('the disk is full'));
  const store = { get: fails, set: fails, delete: fails, sync: fails } as never;
  const address = addressOf(t, 'a');
  const starting = createNode({ address, protocol: greeter, gossip: { store } });
  const error = await t.throwsAsync(starting);
  t.regex(error!.message, /^createNode: gossip: .*the disk is full/);
  await isFree(t, address);
});

test('a seed that is unreachable does not fail the start', async (t) => {
  const node = await createNode({
    address: addressOf(t, 'a'),
    protocol: greeter,
    peers: { seeds: [addressOf(t, 'absent'), 'tcp://127.0.0.1:1'] },
  });
  t.deepEqual(node.peers.list(), []);
  await node.close();
});

test('if closing fails as well, the error of the start says so', async (t) => {
  const parts: NodePart[] = [
    { name: 'one', close: () => Promise.reject(new Error('it hangs')) },
    { name: 'two', start: () => Promise.reject(new Error('no disk')) },
  ];
  await t.throwsAsync(createNode({ protocol: greeter, parts }), {
    message: "createNode: parts[1] 'two': no disk; node.close: parts[0] 'one': it hangs",
  });
});

test('a part that starts while the closing of its node fails is closed', async (t) => {
  const log: string[] = [];
  const parts: NodePart<MeshNode>[] = [
    { name: 'one', close: () => Promise.reject(new Error('it hangs')) },
    { ...logging(log, 'two'), start: (node) => node.close().catch(() => undefined) },
  ];
  await t.throwsAsync(createNode({ protocol: greeter, parts }), {
    code: 'shutdown',
    message: /^createNode: gossip: not started, .*; node\.close: parts\[0\] 'one': it hangs$/,
  });
  t.deepEqual(log, ['close two']);
});

test('a node that a part closes while it starts is closed', async (t) => {
  const address = addressOf(t, 'a');
  const log: string[] = [];
  const closer: NodePart<MeshNode> = { ...logging(log, 'two'), start: (node) => node.close() };
  const parts = [logging(log, 'one'), closer, logging(log, 'three')];
  await t.throwsAsync(createNode({ address, protocol: greeter, parts }), {
    code: 'shutdown',
    message: "createNode: parts[2] 'three': not started, because the node was closed meanwhile",
  });
  t.deepEqual(log, ['start one', 'close one', 'close two']);
  await isFree(t, address);
});
