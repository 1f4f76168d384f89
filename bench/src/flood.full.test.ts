// The whole of it, in short: a server, an honest peer and a flooder start, and what becomes of each is told.

import test from 'ava';
import { run } from './testing/run.ts';

// Elsewhere loopback has no second address, unless someone gives it one.
const onLinux = process.platform === 'linux' ? test : test.skip;

// One run each: a source keeps the places of what failed for a second, longer than a smoke run's parts.
for (const manner of ['hold', 'hello', 'handshake']) {
  onLinux(`a smoke run floods in the manner '${manner}', and the honest peer is answered all the while`, async (t) => {
    const { code, output, errors } = await run('flood.js', '--smoke', '--json', '--rate', '500', '--only', manner);
    t.is(code, 0, errors);
    const { rounds, verdicts } = JSON.parse(output);
    t.is(rounds.length, 1);
    const { quiet, [manner]: flood } = rounds[0];
    for (const { honest } of [quiet, flood]) t.true(honest.calls > 0 && honest.p99 >= honest.p50 && honest.p50 > 0 && honest.newcomer > 0);
    t.deepEqual([quiet.flood.opened, quiet.server.refused, quiet.server.failed], [0, 0, 0]);
    if (manner === 'hold') t.true(flood.server.refused > 0);
    if (manner === 'hello') t.true(flood.server.failed > 0);
    if (manner === 'handshake') t.true(flood.flood.handshakes > 0);
    // The eight of the flood, the honest peer, a newcomer, and one or two that are being closed.
    t.true(flood.server.sockets <= 8 + 4, `${flood.server.sockets} sockets`);
    t.deepEqual(verdicts, []);
  });
}

onLinux('the table tells how much slower honest calls are', async (t) => {
  const { code, output, errors } = await run('flood.js', '--smoke', '--rate', '200', '--only', 'hold');
  t.is(code, 0, errors);
  t.regex(output, /^honest calls, p99 µs +[\d,.]+ +[\d,.]+ \([\d.]+\)$/m);
  t.regex(errors, /round 1 of 1: hold/);
});

test('a wrong option is named, with the usage', async (t) => {
  for (const [args, named] of [
    [['--rounds', 'few'], /--rounds: .*'few'/],
    [['--only', 'drizzle'], /--only: .*'drizzle'/],
    [['--fast'], /--fast/],
  ] as const) {
    const { code, errors } = await run('flood.js', ...args);
    t.is(code, 2);
    t.regex(errors, named);
    t.regex(errors, /usage:/);
  }
});
