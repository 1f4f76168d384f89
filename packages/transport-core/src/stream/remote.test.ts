// Tests of the Remote of a live connection.

import test from 'ava';
import type { Remote } from '../remote.ts';
import type { Hello } from '../wire/hello.ts';
import { LiveRemote } from './remote.ts';

const hello = (changes: Partial<Hello> = {}) =>
  ({ addr: 'a:1', instance: 'ab', nodeId: 'claimed', fields: { token: 'x' }, ...changes }) as Hello;

test('it shows what the peer said, and its link’s state as it is', (t) => {
  const link = { over: false, rtt: undefined as number | undefined, silence: 0 };
  const remote: Remote = new LiveRemote(link, 'in-1', '10.0.0.1:5', 'in', undefined, hello());
  t.deepEqual(
    [remote.id, remote.endpoint, remote.direction, remote.addr, remote.instance],
    ['in-1', '10.0.0.1:5', 'in', 'tcp://a:1', 'ab'],
  );
  t.deepEqual({ ...remote.hello }, { token: 'x' });
  t.true(Object.isFrozen(remote.hello));
  t.deepEqual([remote.closed, remote.rtt], [false, undefined]);
  link.over = true;
  link.rtt = 7;
  t.deepEqual([remote.closed, remote.rtt], [true, 7]);
});

test('a node id that was only claimed is not there, one that was proven is', (t) => {
  const link = { over: false, rtt: undefined, silence: 0 };
  t.is(new LiveRemote(link, '1', 'e', 'in', undefined, hello()).nodeId, undefined);
  t.is(new LiveRemote(link, '1', 'e', 'in', 'proven', hello()).nodeId, 'proven');
});

test('a peer that does not listen has no address', (t) => {
  t.is(
    new LiveRemote(
      { over: false, rtt: undefined, silence: 0 },
      '1',
      'e',
      'in',
      undefined,
      hello({ addr: '' }),
    ).addr,
    undefined,
  );
});

test('only a Remote of this package leads to a link, and its link shows nowhere', (t) => {
  const link = { over: false, rtt: undefined, silence: 0 };
  const remote = new LiveRemote(link, '1', 'e', 'in', undefined, hello());
  t.is(LiveRemote.linkOf(remote), link);
  t.is(LiveRemote.linkOf({ ...remote } as Remote), undefined);
  t.false(Object.values(remote).includes(link as never));
});
