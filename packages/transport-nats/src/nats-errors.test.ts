// Tests of the translation of the NATS client's errors.

import test from 'ava';
import { natsError } from './nats-errors.ts';

test('texts of the server are cleaned', (t) => {
  const named = Object.assign(new Error('\u001b[2J\nall is well'), { name: 'AuthorizationError' });
  for (const cause of [named, new Error('\u009b2J\r\nINFO'), '\u202etxt'])
    for (const action of ['connect', 'lost'] as const) {
      const { message } = natsError(cause, action, '127.0.0.1:4222');
      t.notRegex(message, /[\p{Cc}\p{Bidi_C}]/u);
    }
});
