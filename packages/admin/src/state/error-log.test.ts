// Tests of the log of errors: equal ones are counted, old ones make room, texts are cut.

import { type Remote, TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { Recorder } from '../recorder.ts';
import { ErrorLog } from './error-log.ts';

test('equal errors are counted, and a flood of one does not hide the others', (t) => {
  const log = new ErrorLog();
  log.add(1, 'dial', 'tcp://a', new TransportError('unavailable', 'gone'));
  for (let i = 0; i < 1_000; i++)
    log.add(i, 'dial', 'tcp://b', new TransportError('unavailable', 'gone'));
  const records = Object.values(log.state());
  t.deepEqual(
    records.map(({ where, count, at }) => [where, count, at]),
    [
      ['tcp://a', 1, 1],
      ['tcp://b', 1_000, 999],
    ],
  );
});

test('the last 100 errors are kept, with their numbers', (t) => {
  const log = new ErrorLog();
  for (let i = 1; i <= 101; i++) log.add(i, 'call', `m${i}`, new Error('x'));
  log.add(200, 'call', 'm2', new Error('x'));
  log.add(201, 'call', 'm102', new Error('x'));
  const state = log.state();
  t.is(Object.keys(state).length, 100);
  t.false('1' in state || '3' in state);
  t.is(state['2']?.count, 2);
});

test('texts are cleaned and cut', (t) => {
  const log = new ErrorLog();
  log.add(1, 'call', 'a\nb', new TransportError('internal', `\u001b[2J${'x'.repeat(1_000)}`));
  const [record] = Object.values(log.state());
  t.is(record?.where, 'a b');
  t.is(record?.text.length, 301);
  t.false(record?.text.includes('\u001b'));
});

test('failed connections from the ports of one host are one error; dialed ports differ', (t) => {
  const log = new ErrorLog();
  const recorder = new Recorder(log);
  for (const direction of ['in', 'out'] as const)
    for (const endpoint of ['10.0.0.1:1', '10.0.0.1:2']) {
      const remote = { endpoint, direction } as Remote;
      const error = new TransportError('unavailable', `connection ${endpoint}: reset`);
      recorder.event({ type: 'rejected', endpoint, direction, error });
      recorder.event({ type: 'down', remote, cause: error });
    }
  t.deepEqual(
    Object.values(log.state()).map(({ what, where, count }) => [what, where, count]),
    [
      ['handshake', '10.0.0.1', 2],
      ['connection', '10.0.0.1', 2],
      ['handshake', '10.0.0.1:1', 1],
      ['connection', '10.0.0.1:1', 1],
      ['handshake', '10.0.0.1:2', 1],
      ['connection', '10.0.0.1:2', 1],
    ],
  );
});
