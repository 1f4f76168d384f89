// Tests of the admission of connections.

import test from 'ava';
import { type AdmissionState, type Candidate, type ConnectedPeer, judge } from './admission.ts';

const ME = 'a'.repeat(64);
const THEM = 'b'.repeat(64);
const candidateOfThem: Candidate = {
  nodeId: THEM,
  proven: false,
  instance: 'i1',
  direction: 'in',
  exempt: false,
  group: undefined,
};
const resident: ConnectedPeer = {
  instance: 'i1',
  proven: false,
  links: 1,
  isParting: false,
  isInbound: true,
};
const LIMITS = { maxInbound: 2, maxPerGroup: Number.POSITIVE_INFINITY };

const state = (
  given: Partial<Omit<AdmissionState, 'peer'>> & { known?: ConnectedPeer } = {},
): AdmissionState => {
  const { known, ...rest } = given;
  return {
    nodeId: ME,
    isBanned: () => false,
    isTwin: () => false,
    peer: () => known,
    inbound: 0,
    yielding: 0,
    inboundOf: () => 0,
    ...rest,
  };
};
const verdict = (
  candidate: Partial<Candidate>,
  given: Parameters<typeof state>[0] = {},
  limits = LIMITS,
) => judge({ ...candidateOfThem, ...candidate }, state(given), limits)?.reason;

test('a node without an id, this node itself and a banned node are refused, whoever dialed and however it is listed', (t) => {
  for (const more of [
    {},
    { direction: 'out' },
    { exempt: true },
    { proven: true },
  ] as Partial<Candidate>[]) {
    t.is(verdict({ ...more, nodeId: 'B'.repeat(64) }), 'malformed');
    t.is(verdict({ ...more, nodeId: ME }), 'self');
    t.is(verdict(more, { isBanned: (nodeId) => nodeId === THEM }), 'denied');
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
  t.is(
    verdict({ proven: true }, { known: resident, inbound: 9 }),
    undefined,
    'it replaces the other',
  );
});

test('another link of a peer takes no place, but links per peer are limited', (t) => {
  t.is(verdict({}, { known: { ...resident, links: 127 }, inbound: 9 }), undefined);
  t.is(verdict({}, { known: { ...resident, links: 128 } }), 'full');
});

test('a node that connects while all its links are closing is new: caps apply to it, and it keeps its old place', (t) => {
  const parting = { ...resident, isParting: true };
  t.is(verdict({}, { known: parting, inbound: 2 }), undefined);
  t.is(verdict({}, { known: parting, inbound: 3 }), 'full');
  t.is(
    verdict({}, { known: { ...parting, isInbound: false }, inbound: 2 }),
    'full',
    'it was persistent: it had no place',
  );
  t.is(verdict({ exempt: true }, { known: parting, inbound: 3 }), undefined);
  t.is(verdict({ direction: 'out' }, { known: parting, inbound: 3 }), undefined);
});

test('ordinary inbound peers are capped, in total and per network; others are not', (t) => {
  t.is(verdict({}, { inbound: 1 }), undefined);
  t.is(verdict({}, { inbound: 2 }), 'full');
  t.is(verdict({}, { inbound: 2, yielding: 1 }), undefined);
  t.is(verdict({ exempt: true }, { inbound: 2 }), undefined);
  t.is(verdict({ direction: 'out' }, { inbound: 2 }), undefined);
  const limits = { maxInbound: 100, maxPerGroup: 3 };
  const inboundOf = (group: string) => (group === '8.8/16' ? 3 : 0);
  t.is(verdict({ group: '8.8/16' }, { inboundOf }, limits), 'full');
  t.is(verdict({ group: '9.9/16' }, { inboundOf }, limits), undefined);
  t.is(verdict({ group: '8.8/16', exempt: true }, { inboundOf }, limits), undefined);
  t.is(verdict({ group: '8.8/16', direction: 'out' }, { inboundOf }, limits), undefined);
});
