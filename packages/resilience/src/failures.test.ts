// Tests of what counts against a server.

import { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { isCallersEnd, isServerFailure } from './failures.ts';

test('a call that its caller canceled does not count, but one that the server cancels is a failure', (t) => {
  const own = new TransportError('cancelled', 'the caller has canceled');
  t.true(isCallersEnd(own));
  t.false(isServerFailure(own));
  const remote = new TransportError('cancelled', 'no', { origin: 'remote' });
  t.false(isCallersEnd(remote));
  t.true(isServerFailure(remote));
});
