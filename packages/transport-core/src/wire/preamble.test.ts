// Tests how the first bytes of other protocols are recognized.

import test from 'ava';
import { FrameEncoder } from './encoder.ts';
import { Kind } from './frame.ts';
import { lookAlike, screenHello } from './preamble.ts';

const text = (value: string) => new TextEncoder().encode(value);

test('the error names the protocol that the first bytes look like', (t) => {
  for (const method of ['GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'DELETE', 'PATCH', 'CONNECT'])
    t.is(lookAlike(text(`${method} / HTTP/1.1\r\n`)), 'HTTP (a request)');
  t.is(lookAlike(text('PRI * HTTP/2.0\r\n\r\nSM')), 'HTTP (a request)');
  t.is(lookAlike(text('HTTP/1.1 400 Bad Request')), 'HTTP (a response)');
  t.is(lookAlike(new Uint8Array([0x16, 0x03, 0x01, 0x02, 0x00])), 'TLS');
  t.is(lookAlike(text('TRKN')), 'Trunkline secured by noise (TRKN)');
  t.is(lookAlike(text('TRKL')), 'plain Trunkline (TRKL)');
  t.is(
    lookAlike(new Uint8Array([0x15, 0x03, 0x03, 0x00, 0x02])),
    'TLS (an alert: it accepts only TLS)',
  );
  t.is(lookAlike(text('SSH-2.0-OpenSSH_9.6')), 'SSH');
});

test('other first bytes are shown in hex, eight of them', (t) => {
  t.is(
    lookAlike(new Uint8Array([0, 1, 0xfe, 0xff, 4, 5, 6, 7, 8, 9])),
    'something else (00 01 fe ff 04 05 06 07)',
  );
  t.is(lookAlike(text('GETTING')), 'something else (47 45 54 54 49 4e 47)');
  t.is(lookAlike(new Uint8Array(0)), 'something else ()');
});

test('a first message is the preamble and a whole HELLO', (t) => {
  const encoder = new FrameEncoder((size) => new Uint8Array(size));
  encoder.preamble();
  encoder.signal(Kind.HELLO, 0, new Uint8Array(200));
  const whole = encoder.take();
  t.is(screenHello(whole), undefined);
  t.is(screenHello(new Uint8Array([...whole, 1, 2])), undefined);
  for (let length = 0; length < whole.length; length++)
    t.deepEqual(screenHello(whole.subarray(0, length)), {
      reason: 'malformed',
      message: `no whole HELLO is in the first bytes (length ${length})`,
    });
  t.like(screenHello(text('TRKN')), { reason: 'wrong_preamble' });
  t.like(screenHello(text('GET')), { reason: 'wrong_preamble' });
  for (const [frame, says] of [
    [[0xff, 0xff, 0xff, 0x7f, 1], /a frame of 268435455 bytes, above the limit/],
    [[0], /an empty frame/],
    [[2, 8, Kind.READY], /length 7/],
  ] as const) {
    const { reason, message } = screenHello(new Uint8Array([...whole.subarray(0, 4), ...frame]))!;
    t.is(reason, 'malformed');
    t.regex(message, says);
  }
});
