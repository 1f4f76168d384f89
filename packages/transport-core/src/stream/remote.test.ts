// Tests of the Remote of a live connection.

import test from 'ava';
import type { Remote } from '../remote.ts';
import type { Hello } from '../wire/hello.ts';
import { LiveRemote } from './membership.ts';

const link = () => ({
  id: 'in-1',
  endpoint: '10.0.0.1:5',
  direction: 'in' as const,
  over: false,
  rtt: undefined as number | undefined,
  silence: 0,
});
const hello = (changes: Partial<Hello> = {}) =>
  ({ addr: 'a:1', instance: 'ab', nodeId: 'claimed', fields: { token: 'x' }, ...changes }) as Hello;

test('a Remote shows what the peer sent, and the current state of its connection', (t) => {
  const connection = link();
  const remote: Remote = new LiveRemote(connection, undefined, hello());
  t.deepEqual(
    [remote.id, remote.endpoint, remote.direction, remote.addr, remote.instance],
    ['in-1', '10.0.0.1:5', 'in', 'tcp://a:1', 'ab'],
  );
  t.deepEqual({ ...remote.hello }, { token: 'x' });
  t.true(Object.isFrozen(remote.hello));
  t.deepEqual([remote.closed, remote.rtt], [false, undefined]);
  connection.over = true;
  connection.rtt = 7;
  t.deepEqual([remote.closed, remote.rtt], [true, 7]);
});

test('a claimed node id is not shown, a proven one is', (t) => {
  t.is(new LiveRemote(link(), undefined, hello()).nodeId, undefined);
  t.is(new LiveRemote(link(), 'proven', hello()).nodeId, 'proven');
});

test('a peer that does not listen has no address', (t) => {
  t.is(new LiveRemote(link(), undefined, hello({ addr: '' })).addr, undefined);
});

test('only a Remote of this package leads to a link, which is not visible anywhere', (t) => {
  const connection = link();
  const remote = new LiveRemote(connection, undefined, hello());
  t.is(LiveRemote.linkOf(remote), connection);
  t.is(LiveRemote.linkOf({ ...remote } as Remote), undefined);
  t.false(Object.values(remote).includes(connection as never));
});
