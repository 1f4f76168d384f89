// Tests of the recording's check, its text and its page, without a browser.

import type { Recording } from '@trunkline/simulation';
import ava from 'ava';
import { parseRecording, replayPage, replayText } from '../index.replay.ts';
import { barsOf } from './model/bars.ts';
import { ticks } from './model/format.ts';
import {
  createRun,
  describe,
  isShown,
  label,
  methodOf,
  missing,
  nearest,
  statesAt,
  step,
} from './model/run.ts';
import { checkedRun } from './testing/checked-run.ts';
import { failingRun, HOSTILE } from './testing/failing-run.ts';

const test = ava.serial;
const ALL = { hidden: new Set<string>(), method: '' };

test('a recording of a failure is read, and shown as messages, states and text', async (t) => {
  const recording = await failingRun('message', HOSTILE.node);
  const run = createRun(parseRecording(JSON.stringify(recording)));
  t.is(recording.failure!.rule, 'one holder');

  t.deepEqual(run.methods, ['locks/acquire', 'locks/release']);
  t.deepEqual(run.lanes.map(({ name }) => name).slice(0, 3), ['server', 'ada', 'grace']);
  t.true(run.lanes[0]!.down.some(({ from, to }) => Math.abs(to - from - 40) < 1e-6));
  const arrived = run.messages.filter(({ fate }) => fate === 'arrived');
  t.true(arrived.length > 20);
  for (const { sentAt, endAt } of arrived) t.true(endAt >= sentAt + 1);

  // All messages that were on their way to the server when it crashed were lost.
  const { down } = run.lanes[0]!;
  const cutOff = run.messages.filter(({ end, fate }) => end === undefined && fate === 'lost');
  for (const { endAt, to } of cutOff)
    t.true(
      to === 'server' && down.some((time) => time.from <= endAt && endAt < time.to),
      `${endAt}`,
    );

  const last = run.events.length - 1;
  const atEnd = statesAt(run, last);
  for (const { name, last: report } of run.lanes) {
    const { up, state, calls } = atEnd.get(name)!;
    t.deepEqual(
      { up, state, calls },
      { up: report!.up, state: report!.state, calls: [...report!.calls] },
    );
  }
  const crash = run.events.findIndex(({ kind }) => kind === 'crashed');
  t.false(statesAt(run, crash).get('server')!.up);
  t.true(statesAt(run, crash - 1).get('server')!.up);

  const lines = replayText(recording).split('\n');
  t.regex(lines[0]!, /^one holder: it does not hold \(seed \d+, at [\d.]+ ms\)$/);
  t.true(lines.includes(`run it again: ${recording.search!.replay}`));
  t.true(lines.some((line) => /^ {2}log: [\d.]+ ms {2}has the lock$/.test(line)));
  t.false(/\p{Cc}|\p{Cf}/u.test(lines.join('')));

  const html = replayPage(recording);
  t.regex(html, /Content-Security-Policy" content="default-src 'none'; script-src 'sha256-/);
  t.false(html.includes(HOSTILE.state.slice(0, 20)));
});

test('at the stream level, bytes arrive, and calls have their methods', async (t) => {
  const run = createRun(await failingRun('stream'));
  t.deepEqual(run.methods, ['locks/acquire', 'locks/release']);
  t.true(
    run.messages.filter(({ fate, sent }) => fate === 'arrived' && sent !== undefined).length > 20,
  );
});

test('steps and clicks find only what the filter shows', async (t) => {
  const run = createRun(await failingRun());
  const filter = { hidden: new Set(['ada']), method: 'locks/release' };
  const seen: string[] = [];
  for (let at = step(run, -1, 1, filter), before = -1; at !== before; ) {
    const event = run.events[at]!;
    t.true(isShown(event, filter));
    seen.push(methodOf(event) || event.kind);
    before = at;
    at = step(run, at, 1, filter);
  }
  t.true(seen.includes('locks/release') && !seen.includes('locks/acquire'));
  const middle = run.events[Math.floor(run.events.length / 2)]!;
  t.is(run.events[nearest(run, middle.at, ALL)]!.at, middle.at);
  t.is(step(run, 0, -1, ALL), 0);
  for (const event of run.events) t.true(describe(event).length > 0);
  t.is(label(run, -1), 'the start of the recording');
});

test('what is no recording is refused with the reason', (t) => {
  const head = { format: 'trunkline-recording', version: 1, seed: 1, level: 'message', hash: '' };
  const refused: readonly (readonly [string, RegExp])[] = [
    ['{', /^this is no recording: it is not JSON: /],
    ['{}', /^this is no recording: expected an object with the format/],
    [JSON.stringify({ ...head, version: 2 }), /version 2, and this program reads version 1/],
    [
      JSON.stringify({ ...head, events: [{ at: -1 }] }),
      /^this recording is damaged: events\.0\.at: /,
    ],
  ];
  for (const [text, message] of refused)
    t.throws(() => parseRecording(text), { instanceOf: TypeError, message }, text);
});

test('an empty recording is shown, too', (t) => {
  const empty: Recording = {
    format: 'trunkline-recording',
    version: 1,
    seed: 1,
    level: 'message',
    hash: '',
    events: [],
    dropped: 0,
    start: [],
    nodes: [],
    at: 0,
  };
  const run = createRun(empty);
  t.is(run.lanes.length, 0);
  t.is(statesAt(run, -1).size, 0);
  t.regex(replayText(empty), /^no failure \(seed 1, at 0 ms\)/);
  t.true(replayPage(empty).length > 1_000);
});

test('a failure of a checked history is shown at the violation, with its bars', async (t) => {
  const recording = await checkedRun();
  const { at, text, operations } = recording.failure!;
  t.true(at > 2_000 && at < 2_300, `${at}`);
  const run = createRun(parseRecording(JSON.stringify(recording)));
  t.is(run.failed, run.events.length - 1);
  t.deepEqual(
    run.bars.map(({ client, text, culprit }) => ({ client, text, culprit })),
    [...operations!]
      .sort((one, other) => one.client.localeCompare(other.client))
      .map(({ client, text, culprit }) => ({ client, text, culprit })),
  );
  const culprit = run.bars.find((bar) => bar.culprit)!;
  t.like(culprit, { client: 'grace', to: at });
  const lines = replayText(recording).split('\n');
  t.deepEqual(lines.slice(0, text!.split('\n').length), text!.split('\n'));
  t.is(missing(recording), undefined);

  // A recording of the whole run opens at the violation, too.
  const later = { at: at + 1_000, kind: 'note', from: 'ada', text: 'later' };
  const whole = { ...recording, events: [...recording.events, later], at: at + 1_000 };
  t.is(createRun(whole).failed, run.failed);

  // A recording that begins after the violation says so.
  const short = { ...whole, events: [later], dropped: 5 };
  t.regex(
    missing(parseRecording(JSON.stringify(short)))!,
    /the moment of the failure, were not kept/,
  );
  t.true(replayText(short).includes(missing(short)!));
  t.is(createRun(short).from, Math.min(...operations!.map(({ from }) => from!)));
  t.throws(
    () =>
      parseRecording(
        JSON.stringify({
          ...recording,
          failure: { message: 'x', at, operations: [{ client: 'a' }] },
        }),
      ),
    { message: /^this recording is damaged: failure\.operations\.0\.text: / },
  );
});

test('bars of one row belong to one client and do not overlap', (t) => {
  const bar = (client: string, from?: number, to?: number) => ({
    client,
    text: 'get x',
    from,
    to,
    culprit: false,
  });
  const bars = barsOf([
    bar('a', 0, 5),
    bar('b', 1),
    bar('a', 5, 8),
    bar('a', 6, 9),
    bar('b', 4, 5),
    bar('c'),
  ]);
  t.deepEqual(
    bars.map(({ client, from, row }) => [client, from, row]),
    [
      ['a', 0, 0],
      ['a', 5, 0],
      ['a', 6, 1],
      ['b', 1, 2],
      ['b', 4, 3],
    ],
  );
});

test('the axis has round steps', (t) => {
  t.deepEqual(ticks(0, 10, 5), [0, 2, 4, 6, 8, 10]);
  t.deepEqual(ticks(101, 149, 5), [110, 120, 130, 140]);
  t.deepEqual(ticks(5, 5, 5), []);
});
