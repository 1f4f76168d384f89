// Tests of the cookies of dials, and of the vectors in docs/wire-nats.md.

import { readFileSync } from 'node:fs';
import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { DialCookies } from './dial-cookies.ts';
import { createMessage, encodeConfirmation, HEADER, MessageType } from './message.ts';
import { HELLO } from './testing/hello.ts';

const SUBJECT = 'trunkline.default.in.web.AAAAAAAAAAAAAAAAAAAAAA';
const page = readFileSync(new URL('../../../docs/wire-nats.md', import.meta.url), 'utf8');

/** Cookies with the key (32 bytes 0x07) and the period (3) of the cookie on the page. */
function cookies() {
  const clock = createManualClock();
  clock.advance(15_000 + 5_000 - 1 - (clock.now() % 5_000));
  return { clock, cookies: new DialCookies(() => 7 / 256, clock, 5_000) };
}

test('the cookie and the confirmation of the page are ours', (t) => {
  const cookie = cookies().cookies.issue(SUBJECT);
  const head = encodeConfirmation({ max: 65_536, cookie, credit: 32_768 });
  const message = createMessage(0, MessageType.confirm, head.length + HELLO.length);
  message.set(head, HEADER);
  message.set(HELLO, HEADER + head.length);
  t.true(page.includes(`\`${cookie}\``), cookie);
  const text = Buffer.from(message).toString('latin1');
  t.is(text.slice(7, -HELLO.length), /^\{"version":1,"max":65536,.*\}$/m.exec(page)![0]);
  t.true(page.includes(Buffer.from(message).toString('hex', 0, 7)));
  t.true(page.includes(`\`${Buffer.from(HELLO).toString('hex', 0, 6)}…\``));
});

test('a cookie is valid for its subject, in its period and the next one', (t) => {
  const { clock, cookies: own } = cookies();
  const cookie = own.issue(SUBJECT);
  t.true(own.isValid(SUBJECT, cookie));
  t.false(own.isValid(`${SUBJECT}B`, cookie));
  for (const other of ['', cookie.slice(1), `${cookie}0`, cookie.toUpperCase()])
    t.false(own.isValid(SUBJECT, other), other);
  clock.advance(5_000);
  t.true(own.isValid(SUBJECT, cookie));
  clock.advance(5_000);
  t.false(own.isValid(SUBJECT, cookie));
});

test('two acceptors have different keys', (t) => {
  let next = 0;
  const random = () => (next++ % 256) / 256;
  const clock = createManualClock();
  const [one, other] = [new DialCookies(random, clock, 100), new DialCookies(random, clock, 100)];
  t.true(one.isValid(SUBJECT, one.issue(SUBJECT)));
  t.false(other.isValid(SUBJECT, one.issue(SUBJECT)));
});
