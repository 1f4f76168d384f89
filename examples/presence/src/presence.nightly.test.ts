// Tests processes that see who is online.

import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';

const main = fileURLToPath(new URL('main.js', import.meta.url));

function start(t: ExecutionContext, ...args: string[]) {
  const child = spawn(process.execPath, [main, ...args]);
  const closed = once(child, 'close');
  const seen: string[] = [];
  const lines = new EventEmitter();
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', (line) => {
      seen.push(line);
      lines.emit('line');
    });
  const over = new AbortController();
  child.on('close', () => over.abort(`it ended, having printed\n${seen.join('\n')}`));
  const end = async (signal: 'SIGKILL' | 'SIGINT') => {
    child.kill(signal);
    return (await closed)[0] as unknown;
  };
  t.teardown(() => end('SIGKILL'));
  /** Waits until the last line matches. */
  const sees = async (pattern: RegExp) => {
    while (!pattern.test(seen.at(-1) ?? '')) await once(lines, 'line', over);
  };
  return { sees, end, seen, closed, says: (text: string) => child.stdin.write(`${text}\n`) };
}

/** Returns a pattern for the last line, in order of names. */
const online = (...who: string[]) =>
  new RegExp(`^online: ${who.map((each) => each.replace(':', ' \\([0-9a-f]{8}\\):')).join(', ')}$`);

for (const via of ['status', 'topic']) {
  test.serial(`by ${via}: all see who comes, changes, dies and leaves`, async (t) => {
    t.timeout(60_000);
    const common = ['--via', via, '--every', '300'];
    const ada = start(t, '--name', 'ada', ...common);
    await ada.sees(online('ada: here'));
    const address = ada.seen[0]!.replace('listening at ', '');
    const bob = start(t, '--name', 'bob', '--join', address, ...common);
    await Promise.all([ada, bob].map(({ sees }) => sees(online('ada: here', 'bob: here'))));
    bob.says('away');
    await ada.sees(online('ada: here', 'bob: away'));
    const cyd = start(t, '--name', 'cyd', '--join', address, ...common);
    await Promise.all(
      [ada, bob, cyd].map(({ sees }) => sees(online('ada: here', 'bob: away', 'cyd: here'))),
    );
    await bob.end('SIGKILL');
    await Promise.all([ada, cyd].map(({ sees }) => sees(online('ada: here', 'cyd: here'))));
    t.is(await cyd.end('SIGINT'), 0);
    await ada.sees(online('ada: here'));
  });
}

test.serial('an error is reported in one line', async (t) => {
  const { closed, seen } = start(t, '--via', 'pigeon');
  t.is((await closed)[0], 1);
  t.regex(seen.join('\n'), /^presence: usage: presence --name <name> .*$/);
});
