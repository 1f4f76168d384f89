// Cases of docs/wire-protocol.md §4 and §8: text for people is sanitized before anybody sees it;
// the application's own data is not changed.

import { formatSnapshot } from '@trunkline/telemetry';
import type { TestContext } from '@trunkline/transport-testkit';
import { rawHello } from '@trunkline/transport-testkit/internal';
import { failure, gets, type Suite } from './checks.ts';
import { tag } from './frames.ts';

export function textCases({ test, it, open, connect }: Suite): void {
  it('texts: control characters, line breaks and bidi marks of an ERROR do not reach the message, and its metadata is unchanged', async (t, up) => {
    const s = await up();
    const sent = s.client.echo(tag(1));
    const { id } = await s.peer.next('REQUEST');
    s.peer.send({ kind: 'ERROR', id, code: 5, text: UNFIT, metadata: { [UNFIT]: UNFIT } });
    const error = await failure(t, sent);
    isFit(t, error.message);
    t.deepEqual({ ...error.metadata }, { [UNFIT]: UNFIT });
  });

  it('texts: such characters of a GO_AWAY reach neither the error of a call nor the observer', async (t, up) => {
    const s = await up();
    const sent = s.client.echo(tag(1));
    await s.peer.next('REQUEST');
    s.peer.send({ kind: 'GO_AWAY', code: 13, reason: 12, text: UNFIT });
    isFit(t, (await failure(t, sent)).message);
    const { cause } = await s.seen.first('down');
    isFit(t, cause?.message ?? '');
  });

  it('texts: such characters of a hello reach neither Remote.addr nor formatSnapshot, and its fields are unchanged', async (t, up) => {
    const s = await up({ hello: { addr: UNFIT, fields: { [UNFIT]: UNFIT } } });
    isFit(t, s.remote.addr ?? '');
    t.false(SHOWN.test(formatSnapshot(s.transport.snapshot())));
    t.deepEqual({ ...s.remote.hello }, { [UNFIT]: UNFIT });
  });

  test('texts: a network and the name of a protocol are compared unchanged, and shown without such characters', async (t) => {
    // Once sanitized, this name would equal ours.
    const on = await open(t, { network: 'red network' });
    const other = await on.dialIn();
    other.begin({ kind: 'HELLO', hello: rawHello({ network: 'red\nnetwork' }) });
    const bye = await gets(t, other, 'GO_AWAY', { reason: 4 });
    isFit(t, bye.text);
    isFit(t, (await on.seen.first('rejected')).error.message);
    const s = await connect(t, 'acceptor', {
      hello: { protocols: [{ name: UNFIT, version: 1, accepts: [], channel: 0x20 }] },
    });
    const { error } = await s.seen.first('mismatch');
    t.is(error.reason, 'channel_mismatch');
    isFit(t, error.message);
  });

  test('texts: the text of a violation shows a name from the hello without such characters', async (t) => {
    const on = await open(t);
    const peer = await on.dialIn();
    const twice = { name: UNFIT, version: 1, accepts: [], channel: 0x30 };
    peer.begin({
      kind: 'HELLO',
      hello: rawHello({ protocols: [twice, { ...twice, channel: 0x31 }] }),
    });
    const bye = await gets(t, peer, 'GO_AWAY', { reason: 12 });
    isFit(t, bye.text);
    isFit(t, (await on.seen.first('rejected')).error.message);
  });
}

/**
 * Checks that a string has content, and that nothing in it moves a cursor, starts a line or changes
 * the writing direction.
 */
function isFit(t: TestContext, text: string): void {
  t.regex(text, /red/);
  t.false(HIDDEN.test(text), JSON.stringify(text));
}

const UNFIT = 'a\x1b[31mred\r\nline\u202e\u2066\u200f\u061c\u2028\u2029\x85\x07\0:1';
const HIDDEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_C}]/u;
/** A snapshot contains line breaks of its own. */
const SHOWN = /[\p{Cs}\p{Zl}\p{Zp}\p{Bidi_C}]|(?!\n)\p{Cc}/u;
