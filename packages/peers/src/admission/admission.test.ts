// Tests of the admission of connections, of the detection of two live nodes with one key, and of
// the limits on visits to a full node.

import type { Remote } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import test from 'ava';
import { type AdmittedConnection, judge } from '../driver/admission-control.ts';
import type { Node } from '../driver/node.ts';
import { Twins, twinError, twinOf, Visits } from './admission.ts';

const ME = 'a'.repeat(64);
const THEM = 'b'.repeat(64);
const candidateOfThem = {
  nodeId: THEM,
  proven: false,
  instance: 'i1',
  direction: 'in',
  exempt: false,
  group: undefined,
} as unknown as AdmittedConnection;
/** The connected peer that has the id of the new connection. */
const resident = { instance: 'i1', proven: false, links: 1, isParting: false, isInbound: true };

/** The state of this node. */
const idle = {
  maxInbound: 2,
  isBanned: false,
  known: undefined as typeof resident | undefined,
  /** The number of ordinary peers that dialed this node, and of those that make room. */
  inbound: 0,
  yielding: 0,
  /** The number of ordinary inbound peers from the network 8.8/16. */
  inGroup: 0,
};

function verdict(candidate: Partial<AdmittedConnection>, state: Partial<typeof idle> = {}) {
  const { maxInbound, isBanned, known, inbound, yielding, inGroup } = { ...idle, ...state };
  const remote = { direction: 'in' };
  const node = {
    nodeId: ME,
    now: () => 0,
    config: { maxInbound },
    keeper: { book: { isBanned: () => isBanned }, trust: { score: () => 0 } },
    management: { isUp: () => known?.isParting === false },
    twins: new Twins(),
    peerTable: {
      count: () => inbound,
      ordinary: () => Array.from({ length: yielding }, () => ({})),
    },
    peer: () =>
      known && {
        ...known,
        links: Array.from({ length: known.links }, () => ({ remote })),
        exempt: !known.isInbound,
        leaving: false,
        main: { remote },
      },
  } as unknown as Node;
  const count = (group?: string) =>
    group === undefined ? inbound : group === '8.8/16' ? inGroup : 0;
  return judge(node, { ...candidateOfThem, ...candidate }, count)?.reason;
}

test('a node without an id, this node itself and a banned node are refused, whoever dialed and however it is listed', (t) => {
  for (const more of [{}, { direction: 'out' }, { exempt: true }, { proven: true }] as const) {
    t.is(verdict({ ...more, nodeId: 'B'.repeat(64) }), 'malformed');
    t.is(verdict({ ...more, nodeId: ME }), 'self');
    t.is(verdict(more, { isBanned: true }), 'denied');
    t.is(verdict(more), undefined);
  }
});

test('an asserted id belongs to the first node that uses it; a proven id to the node that proves it', (t) => {
  t.is(verdict({ instance: 'i2' }, { known: resident }), 'duplicate');
  t.is(verdict({ instance: 'i2', exempt: true }, { known: resident }), 'duplicate');
  t.is(verdict({ instance: 'i2' }, { known: { ...resident, isParting: true } }), 'duplicate');
  t.is(verdict({ instance: 'i2', proven: true }, { known: resident, inbound: 2 }), undefined);
});

test('an instance proves nothing: repeating it neither joins a proven node nor takes its place', (t) => {
  const proven = { ...resident, proven: true };
  t.is(verdict({}, { known: proven }), 'duplicate');
  t.is(verdict({ proven: true }, { known: proven, inbound: 9 }), undefined, 'another of its links');
  const other = verdict({ proven: true }, { known: resident, inbound: 9 });
  t.is(other, undefined, 'it replaces the other');
});

test('another link of a peer takes no place, but links per peer are limited', (t) => {
  t.is(verdict({}, { known: { ...resident, links: 127 }, inbound: 9 }), undefined);
  t.is(verdict({}, { known: { ...resident, links: 128 } }), 'full');
});

test('a node that connects while all its links are closing is new: caps apply to it, and it keeps its old place', (t) => {
  const parting = { ...resident, isParting: true };
  t.is(verdict({}, { known: parting, inbound: 2 }), undefined);
  t.is(verdict({}, { known: parting, inbound: 3 }), 'full');
  const persistent = { ...parting, isInbound: false };
  t.is(verdict({}, { known: persistent, inbound: 2 }), 'full', 'it had no place');
  t.is(verdict({ exempt: true }, { known: parting, inbound: 3 }), undefined);
  t.is(verdict({ direction: 'out' }, { known: parting, inbound: 3 }), undefined);
});

test('ordinary inbound peers are capped, in total and per network; others are not', (t) => {
  t.is(verdict({}, { inbound: 1 }), undefined);
  t.is(verdict({}, { inbound: 2 }), 'full');
  t.is(verdict({}, { inbound: 2, yielding: 1 }), undefined);
  t.is(verdict({ exempt: true }, { inbound: 2 }), undefined);
  t.is(verdict({ direction: 'out' }, { inbound: 2 }), undefined);
  const limits = { maxInbound: 12, inGroup: 3 };
  t.is(verdict({ group: '8.8/16' }, limits), 'full');
  t.is(verdict({ group: '9.9/16' }, limits), undefined);
  t.is(verdict({ group: '8.8/16', exempt: true }, limits), undefined);
  t.is(verdict({ group: '8.8/16', direction: 'out' }, limits), undefined);
});

test('a replaced instance that returns is refused for 30 s from then on, and judged like any other after that', (t) => {
  const twins = new Twins();
  t.false(twins.isTwin(THEM, 'one', 0));
  twins.replaced(THEM, 'one');
  t.false(twins.isTwin(THEM, 'two', 100));
  const times = [100_000, 129_999, 130_000, 130_001];
  const isTwin = times.map((now) => twins.isTwin(THEM, 'one', now));
  t.deepEqual(isTwin, [true, true, false, false], 'then it is forgotten');
  twins.replaced(THEM, 'one');
  t.true(twins.isTwin(THEM, 'one', 200_000), 'and reported again when it is replaced again');
});

test('the refusal of a twin is reported once, other refusals always', (t) => {
  const twins = new Twins();
  twins.replaced(THEM, 'one');
  t.true(twins.isTwin(THEM, 'one', 0));
  t.true(twins.isNews(twinError(THEM, 'one')));
  t.false(twins.isNews(twinError(THEM, 'one')));
  const other = reasonError('duplicate', 'another');
  t.deepEqual([twinOf(other), twins.isNews(other), twins.isNews(other)], [undefined, true, true]);
});

test('the list of twins remembers 1,024 instances, and forgets those that were replaced longest ago first', (t) => {
  const twins = new Twins();
  for (let i = 0; i < 1_025; i++) twins.replaced(THEM, `instance ${i}`);
  const remembered = [0, 1, 1_024].map((i) => twins.isTwin(THEM, `instance ${i}`, 0));
  t.deepEqual(remembered, [false, true, true]);
});

const others = (count: number) => Array.from({ length: count }, (_, i) => `other ${i}`);

/** Answers an admitted visit, and ends it. */
function answer(visits: Visits, nodeId: string, now: number): void {
  const remote = { direction: 'in' } as Remote;
  visits.begin(remote, nodeId, now);
  visits.conclude(remote, 'in', now);
  visits.end(remote);
}

test('a hundred visits are admitted at once, then a hundred per second', (t) => {
  const visits = new Visits(10_000);
  const take = (from: number, now: number) =>
    Array.from({ length: 200 }, (_, i) => visits.take(`${from + i}`, [], now)).filter(Boolean)
      .length;
  t.is(take(0, 0), 100);
  t.is(take(1_000, 500), 50);
  t.is(take(2_000, 10_000), 100);
});

test('a visitor that got addresses may return after its pause, and at most 64 visitors are there at once', (t) => {
  const visits = new Visits(10_000);
  t.true(visits.take('a', [], 0));
  t.true(visits.take('a', [], 0), 'its first visit did not succeed');
  answer(visits, 'a', 0);
  t.false(visits.take('a', [], 9_999));
  t.true(visits.take('a', [], 10_000));
  t.true(visits.take('b', others(63), 10_000));
  t.false(visits.take('c', others(64), 10_000));
});

test('the list of visitors remembers only the nodes of one pause', (t) => {
  const visits = new Visits(10_000);
  for (let now = 0; now < 60_000; now++)
    if (visits.take(`n${now}`, [], now)) answer(visits, `n${now}`, now);
  t.true(visits.size <= 1_101, String(visits.size));
});
