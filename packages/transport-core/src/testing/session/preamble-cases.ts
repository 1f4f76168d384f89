// Cases of docs/wire-protocol.md §2: the first bytes of a connection.

import { RAW_PREAMBLE } from '@trunkline/transport-testkit/internal';
import { failure, has, type Suite } from './checks.ts';
import { sends, turn } from './session-fixture.ts';

export function preambleCases({ test, open }: Suite): void {
  test('preamble: the acceptor is silent until it has read the dialer\'s "TRKL", then sends its own', async (t) => {
    const on = await open(t);
    const peer = await on.dialIn();
    peer.bytes([0x54, 0x52, 0x4b]);
    await turn();
    t.is(peer.receivedBytes, 0);
    peer.bytes([0x4c]);
    t.deepEqual(await peer.preamble(), RAW_PREAMBLE);
    t.is(peer.count('HELLO'), 0, "its HELLO waits for the dialer's HELLO");
  });

  const wrongPreambles: [string, Uint8Array, RegExp][] = [
    [
      'an HTTP request',
      new TextEncoder().encode('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
      /HTTP/,
    ],
    [
      'a TLS hello',
      Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03),
      /TLS/,
    ],
    ['meaningless bytes', Uint8Array.of(0x9f, 0x00, 0xc3, 0x51, 0x77, 0x02, 0xff, 0x80), /./],
    ['a preamble whose last byte is wrong', Uint8Array.of(0x54, 0x52, 0x4b, 0x4d, 0x01), /./],
  ];
  for (const [what, first, said] of wrongPreambles) {
    test(`preamble: a connection that begins with ${what} is closed without an answer, and the observer learns what the bytes look like`, async (t) => {
      const on = await open(t);
      const peer = await on.dialIn();
      peer.bytes(first);
      await peer.expectClosed();
      t.is(peer.receivedBytes, 0);
      const { error, direction } = await on.seen.first('rejected');
      has(t, error, { code: 'internal', reason: 'wrong_preamble' });
      t.is(direction, 'in');
      t.regex(error.message, said);
    });

    test(`preamble: a dial that is answered with ${what} fails with wrong_preamble and sent: false`, async (t) => {
      const on = await open(t);
      const { sent, peer } = await sends(on);
      await peer.preamble();
      peer.bytes(first);
      const error = await failure(t, sent, {
        code: 'internal',
        reason: 'wrong_preamble',
        sent: false,
      });
      t.regex(error.message, said);
      await peer.expectClosed();
      t.is(peer.count('GO_AWAY'), 0, 'nothing is sent back');
    });
  }
}
