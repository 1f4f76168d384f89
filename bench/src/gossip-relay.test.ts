import test from 'ava';
import { run } from './testing/run.ts';

test('a short run tells times, their ratio, and what was sent', async (t) => {
  t.timeout(60_000);
  const { code, output, errors } = await run('gossip-relay.js', '--receivers', '8', '--size', '256');
  t.is(code, 0, errors);
  const [ratio, published] = [/^ +8 +256 +\S+ +\S+ +(\S+) /m.exec(output)?.[1], /(\S+) +\S+ *$/m.exec(output.split('\n').at(-5) ?? '')?.[1]];
  t.true(Number(ratio) > 0.1 && Number(ratio) < 1, output);
  t.true(Number(published) >= 3 && Number(published) < 3.2, output);
});

test('wrong options are told, with exit code 2', async (t) => {
  for (const args of [['--fanout', 'none'], ['--size', '1,x'], ['--fast']]) t.is((await run('gossip-relay.js', ...args)).code, 2);
});
