// Tests of the check of signaling messages.

import test from 'ava';
import { parseSignalMessage } from './signal-message.ts';

test('a description within the limit is copied without foreign fields', (t) => {
  const offer = { type: 'offer', sdp: 'x'.repeat(16_384), more: 1 };
  t.deepEqual(parseSignalMessage(offer), { type: 'offer', sdp: offer.sdp });
});

test('only an offer has the time that is left of its dial', (t) => {
  const answer = { type: 'answer', sdp: 'v=0' };
  t.deepEqual(parseSignalMessage({ ...answer, timeout: 9 }), answer);
  const offer = { type: 'offer', sdp: 'v=0', timeout: 9 };
  t.deepEqual(parseSignalMessage(offer), offer);
});

test('a candidate is normalized', (t) => {
  const candidate = { type: 'candidate', candidate: 'a=candidate:1', sdpMLineIndex: null };
  t.deepEqual(parseSignalMessage(candidate), {
    type: 'candidate',
    candidate: 'candidate:1',
    sdpMid: '0',
    sdpMLineIndex: 0,
  });
});

for (const [name, value] of [
  ['null', null],
  ['a text', 'offer'],
  ['an empty description', { type: 'answer', sdp: '' }],
  ['a long description', { type: 'offer', sdp: 'x'.repeat(16_385) }],
  ['an offer with a negative timeout', { type: 'offer', sdp: 'v=0', timeout: -1 }],
  ['an offer whose timeout is a text', { type: 'offer', sdp: 'v=0', timeout: '9' }],
  ['a long candidate', { type: 'candidate', candidate: 'x'.repeat(1_025) }],
  ['a wrong line', { type: 'candidate', candidate: '', sdpMLineIndex: -1 }],
  ['another type', { type: 'end' }],
] as const)
  test(`${name} is no message`, (t) => t.is(parseSignalMessage(value), undefined));
