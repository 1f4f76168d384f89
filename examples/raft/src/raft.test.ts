// Tests the state machine of Raft step by step; node.test.ts tests whole clusters.

import test from 'ava';
import { Raft } from './raft.ts';
import { ELECTION, HEARTBEAT } from './testing/nodes.ts';

const MEMBERS = ['a', 'b', 'c', 'd', 'e'];
const text = (value: string) => new TextEncoder().encode(value);

/** Creates one of five machines, whose log has entries of these terms. */
function machine(id: string, terms: readonly number[], term = terms.at(-1) ?? 0): Raft {
  const entries = terms.map((each, i) => ({ term: each, command: text(`${each}.${i + 1}`) }));
  const saved = { term, votedFor: '', base: { index: 0, term: 0 }, entries };
  const times = { electionTimeout: ELECTION, heartbeat: HEARTBEAT };
  return new Raft({ id, members: MEMBERS, saved, ...times }, -2 * ELECTION, 0);
}

/** Creates machine 'a', which all others elect in `term` at time 0. */
function leaderOf(terms: readonly number[], term: number): Raft {
  const leader = machine('a', terms, term - 1);
  leader.wake(0, 0);
  for (const stage of [term - 1, term])
    for (const message of leader.take().messages)
      leader.voted(0, message, { term: stage, granted: true });
  return leader;
}

/** A follower's answer that its log equals the leader's, except for the term and the index. */
const ACCEPTED = { success: true, conflictIndex: 0, conflictTerm: 0 };

test('logs that differ by many entries agree after one refusal per term', (t) => {
  const leader = leaderOf([1, 1, 1, 4, 4, 5, 5, 6, 6, 6], 7);
  t.like(leader.status, { role: 'leader', term: 7 });
  // Figure 7 (f) of the paper.
  const follower = machine('b', [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]);
  let refusals = 0;
  for (let round = 0; round < 20 && follower.status.last !== leader.status.last; round++)
    for (const message of leader.take().messages) {
      if (message.to !== 'b' || message.method !== 'appendEntries') continue;
      const reply = follower.appendEntries(0, message.request);
      if (!reply.success) refusals++;
      leader.appended(0, message, reply);
    }
  t.is(follower.status.last, 11);
  t.true(refusals <= 2, `${refusals} refusals`);
});

test('an entry of an earlier term is committed only by a later one of this term (figure 8)', (t) => {
  // Entry 2 was accepted in term 2 and never committed; entry 3 is the no-op of term 4.
  const leader = leaderOf([1, 2], 4);
  leader.take();
  for (const [beat, match, commit] of [
    [1, 2, 0],
    [2, 3, 3],
  ] as const) {
    leader.wake(beat * HEARTBEAT, 0);
    for (const message of leader.take().messages)
      if (message.to === 'b' || message.to === 'c')
        leader.appended(beat * HEARTBEAT, message, { ...ACCEPTED, term: 4, match });
    leader.take();
    t.is(leader.status.commit, commit, `a majority has entry ${match}`);
  }
});

test('a vote is saved, given once per term, and only to a log that is as good', (t) => {
  const node = machine('b', [1, 2]);
  const ask = (candidate: string, term: number, lastIndex: number, lastTerm: number) =>
    node.requestVote(0, { term, candidate, lastIndex, lastTerm, preVote: false }).granted;
  t.false(ask('a', 3, 5, 1), 'a longer log of an older term');
  t.false(ask('a', 4, 1, 2), 'a shorter log');
  t.true(ask('a', 5, 2, 2));
  t.like(node.take().save, { term: 5, votedFor: 'a' });
  t.false(ask('c', 5, 9, 4), 'a second candidate in the same term');
  t.true(ask('a', 5, 2, 2), 'the first again, whose answer was lost');
  t.false(ask('stranger', 6, 9, 9), 'nobody knows it');
  t.is(node.status.term, 5);
  t.false(ask('a', 7, 1, 1));
  t.like(node.take().save, { term: 7, votedFor: '' });
  t.true(ask('c', 7, 2, 2), 'the term is known already, and its vote still free');
  t.like(node.take().save, { term: 7, votedFor: 'c' });
});

test('a snapshot replaces a different log, and has no effect if the log has it all', (t) => {
  const snapshot = (index: number) => ({ term: 5, leader: 'a', index, indexTerm: index, size: 3 });
  const behind = machine('b', [1, 2]);
  behind.installSnapshot(0, snapshot(4), text('abc'));
  t.like(behind.status, { base: 4, last: 4, commit: 4 });
  const { save, restore } = behind.take();
  t.like(save, { term: 5, base: { index: 4, term: 4 }, last: 4, snapshot: restore! });
  behind.installSnapshot(0, snapshot(3), text('old'));
  t.is(behind.take().restore, undefined, 'an older one comes late');
  const ahead = machine('b', [1, 2, 3, 4, 4]);
  ahead.installSnapshot(0, snapshot(4), text('abc'));
  t.like(ahead.status, { base: 0, last: 5, commit: 4 });
  t.is(ahead.take().apply.length, 4);
});

test('heartbeats continue while a snapshot is being sent, one at a time', (t) => {
  const leader = leaderOf([1, 1, 1], 2);
  const accepted = { ...ACCEPTED, term: 2, match: 4 };
  const refused = { ...accepted, success: false, match: 0, conflictIndex: 1 };
  for (const message of leader.take().messages)
    leader.appended(0, message, message.to === 'b' ? refused : accepted);
  leader.take(); // Commits and applies; 'b' is sent everything.
  leader.compact(4, text('all of it'), 0);
  leader.take();
  t.is(leader.status.base, 4);
  const toB = (now: number) => {
    leader.wake(now, 0);
    return leader.take().messages.filter(({ to }) => to === 'b');
  };
  const [beat] = toB(HEARTBEAT);
  t.like(beat, { method: 'appendEntries', request: { prevIndex: 0, entries: [] } });
  t.deepEqual(toB(2 * HEARTBEAT), [], 'the first is not answered yet');
  leader.failed(beat!);
  t.is(toB(3 * HEARTBEAT).length, 1);
});
