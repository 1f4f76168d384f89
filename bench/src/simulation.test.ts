import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { measureMemory } from './simulation/memory.ts';

const program = fileURLToPath(new URL('simulation.js', import.meta.url));

function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (err += chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

test('a short run tells speed, rate, ratio and shares of both levels, and ends by itself', async (t) => {
  const { code, out, err } = await run('--rounds', '1', '--window', '60');
  t.is(code, 0, err);
  t.regex(out, /^bare heap and microtask loop: [\d,]+ events\/s$/m);
  for (const level of ['message', 'stream']) {
    t.regex(out, new RegExp(`^${level} level: [\\d,]+ × real time \\(goal [\\d,]+\\), [\\d,]+ events/s, \\d\\.\\d+ of the bare loop, [\\d,]+ calls/s$`, 'm'));
  }
  t.is(out.match(/^ {2}trace \d+ % · drain \d+ % · queue \d+ % · network \d+ % · codec \d+ % · /gm)?.length, 2);
});

test('wrong options are told, with exit code 2', async (t) => {
  for (const args of [['--rounds', 'none'], ['--fast']]) t.is((await run(...args)).code, 2);
});

test('the memory of a network is that of all its links', async (t) => {
  const { nodes, links, heap } = await measureMemory(20, 3);
  t.deepEqual([nodes, links], [20, 60]);
  t.true(heap > 0);
});
