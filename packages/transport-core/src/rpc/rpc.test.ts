// Tests of an incoming call as its reader sees it.

import { inspect } from 'node:util';
import test from 'ava';
import { TransportError } from '../errors.ts';
import { IncomingRpc } from './rpc.ts';
import { InboxFixture, type Name } from './testing/inbox-fixture.ts';

const byte = (number: number) => new Uint8Array([number]);

function incoming(name: Name) {
  const fixture = new InboxFixture();
  const connection = fixture.connection();
  const call = connection.call(name);
  connection.channel.version = 3;
  const rpc = new IncomingRpc(call, 'request');
  const leave = (error: TransportError) => {
    call.open = false;
    call.left(error);
  };
  return {
    connection,
    call,
    rpc,
    leave,
    late: () => fixture.counters.filter((counter) => counter === 'lateAnswer').length,
  };
}

const GONE = new TransportError('cancelled', 'gone');

test('an Rpc shows what arrived with the call', (t) => {
  const { rpc, connection } = incoming('ask');
  t.deepEqual([rpc.method, rpc.request, rpc.version], ['ask', 'request', 3]);
  t.is(rpc.from, connection.remote);
  t.deepEqual([rpc.deadline, rpc.upload], [undefined, undefined]);
});

test('a console shows what the reader may know, and no internals', (t) => {
  for (const name of ['ask', 'tell'] as const) {
    const { rpc } = incoming(name);
    const shown = inspect(rpc);
    t.regex(shown, new RegExp(`method: '${name}'`));
    t.regex(shown, /request: 'request'/);
    t.notRegex(shown, /carrier|channel/);
    t.deepEqual(Object.keys(rpc), ['request']);
  }
});

test('a call is answered once; a second answer is a TypeError, whichever came first', (t) => {
  for (const first of ['respond', 'fail'] as const) {
    for (const second of ['respond', 'fail'] as const) {
      const { rpc } = incoming('ask');
      t.true(rpc[first](byte(1)));
      t.throws(() => rpc[second](byte(1)), { instanceOf: TypeError, message: /already answered/ });
    }
  }
});

test('answers return false, and are counted, if the caller is gone', (t) => {
  for (const how of ['respond', 'fail'] as const) {
    const { rpc, leave, late } = incoming('ask');
    leave(GONE);
    t.false(rpc[how](byte(1)));
    t.is(late(), 1);
  }
});

test('a value that its codec refuses throws at the handler, and fails with internal at the caller', (t) => {
  const { rpc, connection } = incoming('typed');
  const error = t.throws(() => rpc.respond('x')) as unknown as TransportError;
  t.is(error.code, 'invalid_argument');
  t.deepEqual(connection.answers, ['typed 3 ! internal']);
  t.throws(() => rpc.respond(1), { instanceOf: TypeError });
});

test('a one-way message has no answer: respond throws, and fail returns false and is counted', (t) => {
  const { rpc, late } = incoming('tell');
  t.throws(() => rpc.respond(1), { instanceOf: TypeError });
  t.false(rpc.fail(new Error('no')));
  t.false(rpc.fail(new Error('again')));
  t.is(late(), 2);
});

test('its signal aborts when the caller leaves, even if it is read later', (t) => {
  const early = incoming('ask');
  const { signal } = early.rpc;
  t.false(signal.aborted);
  early.leave(GONE);
  t.true(signal.aborted);
  t.is(signal.reason, GONE);
  const later = incoming('ask');
  later.leave(GONE);
  t.is(later.rpc.signal.reason, GONE);
  t.is(later.rpc.signal, later.rpc.signal);
});

test('a way of answering that the kind lacks throws a TypeError that names the right one', (t) => {
  const message = (name: Name, way: 'respond' | 'write' | 'end') =>
    t.throws(() => incoming(name).rpc[way](byte(1)), { instanceOf: TypeError })!.message;
  t.is(message('ask', 'write'), "rpc.write: 'ask' is unary and is answered by respond");
  t.is(message('ask', 'end'), "rpc.end: 'ask' is unary and is answered by respond");
  t.is(
    message('get', 'respond'),
    "rpc.respond: 'get' is download and is answered by write and end",
  );
  t.is(message('tell', 'respond'), "rpc.respond: 'tell' is oneway and has no answer");
  t.false(Object.hasOwn(incoming('ask').rpc, 'respond'));
});

test('a write after the end throws a TypeError, and one whose caller is gone rejects with the reason', async (t) => {
  const { rpc } = incoming('get');
  t.true(rpc.end());
  for (const late of [() => rpc.write(byte(1)), () => rpc.end()])
    t.throws(late, { instanceOf: TypeError });
  const gone = incoming('get');
  gone.leave(GONE);
  t.is(await t.throwsAsync(gone.rpc.write(byte(1))), GONE);
});
