// Cases of docs/wire-protocol.md §4, which frame is legal when: one case for each cell of its two
// tables, which are read from the document.

import { readFileSync } from 'node:fs';
import type { RawFrameInput } from '@trunkline/transport-testkit/internal';
import { type Suite, violation } from './checks.ts';
import { body, hint, KiB, PACKET, packets, request, tag } from './frames.ts';
import { granted } from './receiver-credit-cases.ts';
import type { SessionFixture } from './session-fixture.ts';

/**
 * Returns the columns of the document's table of frames that begins with this state of a call, and
 * its rows: each frame with its outcome in each state.
 */
function tableOf(first: string): { states: string[]; rows: string[][] } {
  const lines = DOCUMENT.slice(DOCUMENT.indexOf(`| frame | free | ${first} |`)).split('\n');
  const [[, ...states], , ...rows] = lines.slice(0, lines.indexOf('')).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  ) as [string[]];
  return { states, rows: rows as string[][] };
}

export function stateCases({ test, connect }: Suite): void {
  for (const [reader, first, enter] of [
    ['callee', 'opening', AS_CALLER],
    ['caller', 'waiting', AS_CALLEE],
  ] as const) {
    const { states, rows } = tableOf(first);
    for (const [frame, ...verdicts] of rows as [string, ...string[]][]) {
      for (const [n, state] of states.entries()) {
        const verdict = verdicts[n] as string;
        test(`states: ${frame} that the ${reader} reads in '${state}': ${verdict}`, async (t) => {
          const s = await connect(t, 'acceptor', { hello: { limits: { pipe: 1 } } });
          s.peer.returnPipe = false;
          const id = await (enter[state] as Enter)(s);
          const counted = countOf(s);
          const before = granted(s, 2);
          s.peer.send(FRAMES[frame]?.(id) as RawFrameInput);
          if (verdict === 'break') return void (await violation(t, s.peer));
          await s.peer.barrier();
          t.false(s.peer.closed);
          if (verdict.startsWith('count')) t.is(countOf(s), counted + 1);
          if (verdict === 'drop') t.is(countOf(s), counted);
          if (verdict.includes('+') && !verdict.includes(' or '))
            t.is(
              granted(s, 2) - before,
              LONG + (frame === 'CANCEL' && state === 'one-way' ? 1_024 : 64),
            );
        });
      }
    }
  }
}

const DOCUMENT = readFileSync(
  new URL('../../../../../docs/wire-protocol.md', import.meta.url),
  'utf8',
);

/** Brings a call into a state, and returns its id. */
type Enter = (s: SessionFixture) => Promise<number> | number;

/** States of calls that the raw peer makes. */
const AS_CALLER: Record<string, Enter> = {
  free: (s) => s.id(0),
  opening: (s) => opened(s, longFirst(request(s.id(0), []))),
  async open(s) {
    s.peer.send(request(s.id(0)));
    await s.call('echo');
    return s.id(0);
  },
  async up(s) {
    s.peer.send(request(s.id(0), [1], { method: 3, flags: 1 }));
    await s.call('collect');
    return s.id(0);
  },
  async item(s) {
    return opened(
      s,
      request(s.id(0), [1], { method: 3, flags: 1 }),
      longFirst({ kind: 'ITEM', id: s.id(0) }),
    );
  },
  ended: (s) =>
    opened(s, request(s.id(0), [1], { method: 3, flags: 1 }), { kind: 'END', id: s.id(0) }),
  async answering(s) {
    s.peer.send(request(s.id(0), [1], { method: 3, flags: 1 }));
    // The pipe has room only for the first packet of the message.
    (await s.call('collect')).respond(body(LONG));
    await s.peer.next('RESPONSE');
    return s.id(0);
  },
  'one-way': (s) => opened(s, longFirst(hint([], { id: s.id(0) }))),
};

/** States of calls that the transport makes. */
const AS_CALLEE: Record<string, Enter> = {
  free: () => 1_000,
  async waiting(s) {
    s.client.echo(tag(1)).catch(() => {});
    return (await s.peer.next('REQUEST')).id;
  },
  async response(s) {
    s.client.echo(tag(1)).catch(() => {});
    const { id } = await s.peer.next('REQUEST');
    return opened({ ...s, id: () => id }, longFirst({ kind: 'RESPONSE', id }));
  },
  async down(s) {
    await s.client.feed(tag(1));
    return (await s.peer.next('REQUEST')).id;
  },
  async item(s) {
    await s.client.feed(tag(1));
    const { id } = await s.peer.next('REQUEST');
    return opened({ ...s, id: () => id }, longFirst({ kind: 'ITEM', id }));
  },
  async 'one-way'(s) {
    s.client.hint(body(LONG)).catch(() => {});
    return (await s.peer.next('ONEWAY')).id;
  },
};

const LONG = PACKET + 6 * KiB;

const FRAMES: Record<string, (id: number) => RawFrameInput> = {
  REQUEST: (id) => longFirst(request(id, [])),
  'long ONEWAY': (id) => longFirst(hint([], { id })),
  RESPONSE: (id) => longFirst({ kind: 'RESPONSE', id }),
  ITEM: (id) => ({ kind: 'ITEM', id, payload: tag(1) }),
  PART: (id) => ({ kind: 'PART', id, payload: body(LONG - PACKET) }),
  END: (id) => ({ kind: 'END', id }),
  CANCEL: (id) => ({ kind: 'CANCEL', id }),
  ERROR: (id) => ({ kind: 'ERROR', id, code: 5 }),
  'CREDIT 3': (id) => ({ kind: 'CREDIT', id, account: 3, credit: 10 }),
};

function longFirst(first: RawFrameInput): RawFrameInput {
  return packets(first, body(LONG))[0] as RawFrameInput;
}

async function opened(s: SessionFixture, ...frames: RawFrameInput[]): Promise<number> {
  s.peer.send(...frames);
  await s.peer.barrier();
  return s.id(0);
}

/** Returns the sum of the counters of frames without effect. */
function countOf({ seen }: SessionFixture): number {
  return (
    seen.counted('unknownAnswer') + seen.counted('duplicateRequest') + seen.counted('onewayDropped')
  );
}
