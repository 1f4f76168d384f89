// Tests of the model of scale, and of the networks that it is made from.

import { readFileSync } from 'node:fs';
import test from 'ava';
import { formatScale } from './scale/document.ts';
import { readFigures, readMemory, type ScaleFigures } from './scale/figures.ts';
import { costOf, unitsOf } from './scale/model.ts';
import { measureWhole } from './scale/whole.ts';

const docs = new URL('../../docs/', import.meta.url);
const figures: ScaleFigures = readFigures(new URL('scale/figures.json', docs).pathname);
const memory = readMemory(new URL('performance/figures.json', docs).pathname);

test('docs/scale.md is what its figures give', (t) => {
  t.is(formatScale(figures, memory), readFileSync(new URL('scale.md', docs), 'utf8'));
});

test('a mesh grows with its nodes, trees do not, and a server takes the load of NATS', (t) => {
  const units = unitsOf(figures, memory, 3);
  const mesh = [100, 10_000].map((nodes) => costOf('mesh', nodes, units));
  t.is(mesh[0]!.connections, 99);
  t.is(mesh[1]!.connections, 9_999);
  t.true(Math.abs(mesh[1]!.publisherCpu / mesh[0]!.publisherCpu - 101) < 0.1);
  const trees = [100, 10_000].map((nodes) => costOf('trees', nodes, units));
  t.is(trees[0]!.connections, trees[1]!.connections);
  t.is(trees[0]!.nodeCpu, trees[1]!.nodeCpu);
  t.true(trees[0]!.hops < trees[1]!.hops);
  t.true(costOf('trees', 100_000, units).hops > trees[1]!.hops);
  const relays = costOf('relays', 40, units);
  t.true(relays.publisherBytes < mesh[0]!.publisherBytes / 5);
  t.true(relays.publisherBytes > 3 * units.meshCopy);
  t.is(relays.hops, 3, '1 + 3 + 9 + 27 nodes');
  const nats = costOf('nats', 100, units);
  t.is(nats.connections, 1);
  t.is(nats.serverConnections, 100);
});

test.serial('small networks of whole nodes', async (t) => {
  const mesh = await measureWhole({ kind: 'mesh', nodes: 6, seed: 1, messages: 3 });
  t.is(mesh.connections, 5);
  t.true(mesh.small.publisher > 5 * 256 && mesh.small.publisher < 5 * 600);
  t.true(mesh.large.publisher > 5 * 1024 * 1024);
  const relays = await measureWhole({ kind: 'relays', nodes: 6, seed: 1, messages: 3 });
  t.true(relays.large.publisher < 3.5 * 1024 * 1024);
  t.true(relays.large.last < mesh.large.last);
  const trees = await measureWhole({ kind: 'trees', nodes: 6, seed: 1, messages: 3 });
  t.true(trees.small.delivery >= 256);
});
