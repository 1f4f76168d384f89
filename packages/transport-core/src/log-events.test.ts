// Tests in which form logEvents passes its messages to loggers.

import test from 'ava';
import { TransportError } from './errors.ts';
import { logEvents } from './log-events.ts';

/** Returns what a logger that has these members, too, receives for a dial that failed. */
function receivedBy(members: object): unknown[] {
  const received: unknown[] = [];
  const write = (...args: unknown[]) => void received.push(...args);
  const observer = logEvents({ debug: write, info: write, warn: write, error: write, ...members });
  const error = new TransportError('unavailable', 'nobody listens');
  observer.event!({ type: 'dialFailed', target: 'a:1', error });
  return received;
}

const text = 'a dial failed: nobody listens';

test('loggers get the details and the text, also if they have levels and log, as loglevel has', (t) => {
  for (const members of [{}, { levels: { INFO: 2 }, log: () => {} }]) {
    const [details, message, ...rest] = receivedBy(members);
    t.like(details, { target: 'a:1', err: { message: 'nobody listens' } });
    t.is(message, text);
    t.deepEqual(rest, []);
  }
});

test('winston gets one object, from its module and from its loggers', (t) => {
  for (const members of [{ log: () => {} }, { log: () => {}, levels: { info: 2 } }]) {
    const [info, ...rest] = receivedBy({ startTimer: () => {}, ...members });
    t.like(info, { target: 'a:1', message: text });
    t.deepEqual(rest, []);
  }
});
