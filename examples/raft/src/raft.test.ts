// Tests the state machine of Raft step by step; node.test.ts tests whole clusters.

import test from 'ava';
import type { AppendRequest } from './messages.ts';
import { Raft } from './raft.ts';
import { ELECTION, HEARTBEAT } from './testing/nodes.ts';

const text = (value: string) => new TextEncoder().encode(value);

test('logs that differ by many entries agree after one refusal per term', (t) => {
  const leader = machine({ id: 'a', entries: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6] });
  // Figure 7 (f) of the paper.
  const follower = machine({ id: 'b', entries: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3] });
  elect(leader, 7);
  let refusals = 0;
  for (let round = 0; round < 20 && follower.status.last !== leader.status.last; round++) {
    for (const message of leader.take().messages) {
      if (message.to !== 'b' || message.method !== 'appendEntries') continue;
      const reply = follower.appendEntries(0, message.request);
      if (!reply.success) refusals++;
      leader.appended(0, message, reply);
    }
  }
  t.is(follower.status.last, 11);
  t.true(refusals <= 2, `${refusals} refusals`);
});

test('an entry of an earlier term is not committed by its count, only through a later one of this term (figure 8)', (t) => {
  // Entry 2 was accepted in term 2 and never committed.
  const leader = machine({ id: 'a', entries: [1, 2], term: 3 });
  elect(leader, 4); // Entry 3 is its no-op.
  leader.take();
  for (const [beat, match, commit] of [
    [1, 2, 0],
    [2, 3, 3],
  ] as const) {
    leader.wake(beat * HEARTBEAT, 0);
    const messages = leader.take().messages.filter(({ to }) => to === 'b' || to === 'c');
    for (const message of messages)
      leader.appended(beat * HEARTBEAT, message, {
        term: 4,
        success: true,
        match,
        conflictIndex: 0,
        conflictTerm: 0,
      });
    leader.take();
    t.is(leader.status.commit, commit, `a majority has entry ${match}`);
  }
});

test('a delayed request does not undo what a later one brought', (t) => {
  const node = machine({ id: 'b', entries: [] });
  const request = (prevIndex: number, count: number): AppendRequest => {
    const entries = Array.from({ length: count }, (_, i) => ({
      term: 1,
      command: text(`${prevIndex + 1 + i}`),
    }));
    return {
      term: 1,
      leader: 'a',
      prevIndex,
      prevTerm: prevIndex === 0 ? 0 : 1,
      entries,
      commit: 0,
    };
  };
  node.appendEntries(0, request(0, 1));
  node.appendEntries(0, request(1, 3));
  t.like(node.appendEntries(0, request(0, 1)), { success: true, match: 1 });
  t.is(node.status.last, 4);
});

test('a former leader is refused and learns the term', (t) => {
  const node = machine({ id: 'b', entries: [1], term: 5 });
  t.deepEqual(
    node.appendEntries(0, {
      term: 4,
      leader: 'a',
      prevIndex: 0,
      prevTerm: 0,
      entries: [],
      commit: 0,
    }).term,
    5,
  );
  t.is(node.status.leader, undefined);
});

test('a vote is saved, given once per term, and only to a log that is as good', (t) => {
  const node = machine({ id: 'b', entries: [1, 2] });
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
  const snapshot = (index: number, indexTerm: number) => ({
    term: 5,
    leader: 'a',
    index,
    indexTerm,
    size: 3,
  });
  const behind = machine({ id: 'b', entries: [1, 2] });
  behind.installSnapshot(0, snapshot(4, 4), text('abc'));
  t.like(behind.status, { base: 4, last: 4, commit: 4 });
  const { save, restore } = behind.take();
  t.like(save, { term: 5, base: { index: 4, term: 4 }, last: 4, snapshot: restore! });
  behind.installSnapshot(0, snapshot(3, 3), text('old'));
  t.is(behind.take().restore, undefined, 'an older one comes late');

  const ahead = machine({ id: 'b', entries: [1, 2, 3, 4, 4] });
  ahead.installSnapshot(0, snapshot(4, 4), text('abc'));
  t.like(ahead.status, { base: 0, last: 5, commit: 4 });
  t.is(ahead.take().apply.length, 4);
});

test('heartbeats continue while a snapshot is being sent, one at a time', (t) => {
  const leader = machine({ id: 'a', entries: [1, 1, 1] });
  elect(leader, 2);
  const refused = { term: 2, success: false, match: 0, conflictIndex: 1, conflictTerm: 0 };
  for (const message of leader.take().messages) {
    leader.appended(
      0,
      message,
      message.to === 'b' ? refused : { ...refused, success: true, match: 4 },
    );
  }
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

/** Creates one of five machines, whose log has entries of these terms. */
function machine({
  id,
  entries,
  term = entries.at(-1) ?? 0,
}: {
  id: string;
  entries: number[];
  term?: number;
}): Raft {
  const saved = {
    term,
    votedFor: '',
    base: { index: 0, term: 0 },
    entries: entries.map((term, i) => ({ term, command: text(`${term}.${i + 1}`) })),
  };
  return new Raft(
    {
      id,
      members: ['a', 'b', 'c', 'd', 'e'],
      electionTimeout: ELECTION,
      heartbeat: HEARTBEAT,
      saved,
    },
    -2 * ELECTION,
    0,
  );
}

/** Has a machine elected by all others in `term`, at time 0. */
function elect(raft: Raft, term: number): void {
  // Only raises its term.
  raft.requestVote(0, {
    term: term - 1,
    candidate: 'e',
    lastIndex: 0,
    lastTerm: 0,
    preVote: false,
  });
  raft.wake(0, 0);
  for (const stage of ['pre-vote', 'vote']) {
    const asked = raft.take().messages;
    for (const message of asked)
      raft.voted(0, message, { term: stage === 'vote' ? term : term - 1, granted: true });
  }
  if (raft.status.role !== 'leader' || raft.status.term !== term)
    throw new Error(`not elected in term ${term}: ${JSON.stringify(raft.status)}`);
}
