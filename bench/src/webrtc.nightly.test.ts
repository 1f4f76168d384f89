// Runs the benchmark of WebRTC in short.

import test from 'ava';
import { run } from './testing/run.ts';
import { unable } from './webrtc/chromium.ts';
import { COLUMNS } from './webrtc/columns.ts';

test('a smoke run measures every column', async (t) => {
  t.timeout(120_000);
  const { code, output, errors } = await run('webrtc.js', '--smoke', '--json');
  t.is(code, 0, errors);
  const { rounds, verdicts } = JSON.parse(output);
  const places = unable() === undefined ? ['node', 'chromium'] : ['node'];
  t.deepEqual(Object.keys(rounds[0]), places);
  for (const place of places) {
    t.deepEqual(Object.keys(rounds[0][place]).sort(), [...COLUMNS].sort());
    for (const { connect, p50, calls, bulk } of Object.values<Record<string, number>>(
      rounds[0][place],
    ))
      t.true(connect! > 0 && p50! > 0 && calls! > 0 && bulk! >= 0);
  }
  t.deepEqual(verdicts, []);
});

test('the table has a line for each column, with ratios to the bare one', async (t) => {
  t.timeout(120_000);
  const { code, output, errors } = await run('webrtc.js', '--smoke', '--client', 'node');
  t.is(code, 0, errors);
  t.regex(output, /^node +bare-channel(?: +[\d,.]+){4}$/m);
  t.regex(output, /^node +trunkline-webrtc +[\d,.]+ \([\d.]+\) .*\)$/m);
});

test('an invalid option is reported with the usage', async (t) => {
  const { code, errors } = await run('webrtc.js', '--client', 'firefox');
  t.is(code, 2);
  t.regex(errors, /--client: no place is named 'firefox'; there are node, chromium[\s\S]*usage:/);
});
