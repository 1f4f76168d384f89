// Tests of the Remote of a live connection.

import test from 'ava';
import type { Remote } from '../remote.ts';
import type { Hello } from '../wire/hello.ts';
import { type Connection, LiveRemote } from './connection.ts';

const connectionWith = () =>
  ({
    id: 'in-1',
    endpoint: '10.0.0.1:5',
    direction: 'in',
    over: false,
    session: { parts: { liveness: { rtt: undefined } } },
  }) as unknown as Connection;
const hello = (changes: Partial<Hello> = {}) =>
  ({ addr: 'a:1', instance: 'ab', nodeId: 'claimed', fields: { token: 'x' }, ...changes }) as Hello;

test('a Remote shows what the peer sent, and the current state of its connection', (t) => {
  const connection = connectionWith();
  const remote: Remote = new LiveRemote(connection, undefined, hello());
  t.deepEqual(
    [remote.id, remote.endpoint, remote.direction, remote.addr, remote.instance],
    ['in-1', '10.0.0.1:5', 'in', 'tcp://a:1', 'ab'],
  );
  t.deepEqual({ ...remote.hello }, { token: 'x' });
  t.true(Object.isFrozen(remote.hello));
  t.deepEqual([remote.closed, remote.rtt], [false, undefined]);
  Object.assign(connection, { over: true, session: { parts: { liveness: { rtt: 7 } } } });
  t.deepEqual([remote.closed, remote.rtt], [true, 7]);
});

test('a claimed node id is not shown, a proven one is', (t) => {
  t.is(new LiveRemote(connectionWith(), undefined, hello()).nodeId, undefined);
  t.is(new LiveRemote(connectionWith(), 'proven', hello()).nodeId, 'proven');
});

test('a peer that does not listen has no address', (t) => {
  t.is(new LiveRemote(connectionWith(), undefined, hello({ addr: '' })).addr, undefined);
});

test('only a Remote of this package leads to its connection, which is not visible anywhere', (t) => {
  const connection = connectionWith();
  const remote = new LiveRemote(connection, undefined, hello());
  t.is(LiveRemote.connectionOf(remote), connection);
  t.is(LiveRemote.connectionOf({ ...remote } as Remote), undefined);
  t.false(Object.values(remote).includes(connection as never));
});
