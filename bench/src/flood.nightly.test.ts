// Runs the whole flood benchmark in short: a server, an honest peer and a flooder start, and the
// report tells how each fared.

import test from 'ava';
import { run } from './testing/run.ts';

// Other systems have no second loopback address unless somebody configures one.
const onLinux = process.platform === 'linux' ? test : test.skip;

// Each kind of flood has its own run, because a source holds the slots of failed handshakes for a
// second, longer than a part of a smoke run.
for (const kind of ['hold', 'hello', 'handshake']) {
  onLinux(
    `a smoke run makes the flood '${kind}', and the honest peer is answered throughout`,
    async (t) => {
      const { code, output, errors } = await run(
        'flood.js',
        '--smoke',
        '--json',
        '--rate',
        '500',
        '--only',
        kind,
      );
      t.is(code, 0, errors);
      const { rounds, verdicts } = JSON.parse(output);
      t.is(rounds.length, 1);
      const { quiet, [kind]: flood } = rounds[0];
      for (const { honest } of [quiet, flood])
        t.true(
          honest.calls > 0 && honest.p99 >= honest.p50 && honest.p50 > 0 && honest.newcomer > 0,
        );
      t.deepEqual([quiet.flood.opened, quiet.server.refused, quiet.server.failed], [0, 0, 0]);
      if (kind === 'hold') t.true(flood.server.refused > 0);
      if (kind === 'hello') t.true(flood.server.failed > 0);
      if (kind === 'handshake') t.true(flood.flood.handshakes > 0);
      // Eight sockets of the flood, the honest peer, a newcomer, and one or two that are closing.
      t.true(flood.server.sockets <= 8 + 4, `${flood.server.sockets} sockets`);
      t.deepEqual(verdicts, []);
    },
  );
}

onLinux('the table shows how much slower honest calls are', async (t) => {
  const { code, output, errors } = await run(
    'flood.js',
    '--smoke',
    '--rate',
    '200',
    '--only',
    'hold',
  );
  t.is(code, 0, errors);
  t.regex(output, /^honest calls, p99 µs +[\d,.]+ +[\d,.]+ \([\d.]+\)$/m);
  t.regex(errors, /round 1 of 1: hold/);
});

test('an invalid option is reported with the usage', async (t) => {
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
