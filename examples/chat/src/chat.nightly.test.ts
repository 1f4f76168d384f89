// Tests chat processes that talk, die and come back.

import { on } from 'node:events';
import { watch } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Person } from './testing/person.ts';

const NAMES = ['ada', 'bob', 'cyd', 'dee'];
const others = (name: string) => NAMES.filter((other) => other !== name);

/** Four participants with keys; the others join at the first one's address. */
class Room {
  readonly people = new Map<string, Person>();
  readonly #t: ExecutionContext;
  readonly #folder: string;
  readonly #args: readonly string[];
  /** The current or last address of each. */
  readonly #addresses = new Map([['ada', '127.0.0.1:0']]);
  #said = 0;

  constructor(t: ExecutionContext, folder: string, args: readonly string[]) {
    this.#t = t;
    this.#folder = folder;
    this.#args = args;
  }

  /**
   * Lets a participant enter, for the first time or again; only the first one's address stays the
   * same.
   */
  async enter(name: string): Promise<void> {
    const ada = this.#addresses.get('ada')!;
    const where = name === 'ada' ? ['--listen', ada] : ['--join', ada];
    const who = ['--name', name, '--key', join(this.#folder, name)];
    const person = new Person(this.#t, [...who, ...where, ...this.#args]);
    this.people.set(name, person);
    const [, address] = await person.sees(/ in room lobby, listening at \w+:\/\/([\d.]+:\d+)/);
    this.#addresses.set(name, address!);
  }

  async kill(name: string): Promise<void> {
    await this.people.get(name)!.kill();
    this.people.delete(name);
  }

  /**
   * Waits until each participant has seen a line that matches `what` from each other one in `of`,
   * after those counted in `since`.
   */
  async all(
    what: (name: string) => RegExp,
    of: readonly string[],
    since?: ReadonlyMap<string, number>,
  ): Promise<void> {
    const seen = [...this.people].flatMap(([viewer, person]) =>
      of
        .filter((name) => name !== viewer)
        .map((name) => person.sees(what(name), since?.get(viewer) ?? 0)),
    );
    await Promise.all(seen);
  }

  /** Returns the number of lines that each has seen so far. */
  now(): Map<string, number> {
    return new Map([...this.people].map(([name, { lines }]) => [name, lines.length]));
  }

  /** Lets each participant say something, and checks that all others receive it. */
  async talk(): Promise<void> {
    const round = ++this.#said;
    for (const [name, person] of this.people) person.says(`${name} in round ${round}`);
    await this.all(
      (name) => new RegExp(`^\\d\\d:\\d\\d:\\d\\d ${name}: ${name} in round ${round}$`),
      [...this.people.keys()],
    );
    for (const [viewer, { lines }] of this.people) {
      const heard = lines.filter((text) => text.endsWith(` in round ${round}`));
      this.#t.is(heard.length, this.people.size - 1, `${viewer}: ${heard}`);
    }
  }

  /**
   * Waits until the participant's address book has the addresses of all others, for its next life.
   */
  async writtenDown(name: string): Promise<void> {
    const watcher = watch(this.#folder);
    const changes = on(watcher, 'change');
    const addresses = others(name).map((other) => this.#addresses.get(other)!);
    const isComplete = async () => {
      const book = await readFile(join(this.#folder, `${name}.peers`), 'utf8').catch(() => '');
      return addresses.every((address) => book.includes(address));
    };
    while (!(await isComplete())) await changes.next();
    watcher.close();
  }
}

const isHere = (name: string) => new RegExp(`^\\* ${name} \\([0-9a-f]{8}\\) is here$`);
const hasGone = (name: string) => new RegExp(`^\\* ${name} \\([0-9a-f]{8}\\) has left$`);

async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'trunkline-chat-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

for (const args of [
  ['--overlay', 'mesh'],
  ['--overlay', 'tree'],
  ['--overlay', 'mesh', '--transport', 'ws'],
]) {
  test.serial(`${args.join(' ')}: each node is killed and returns; all talk again`, async (t) => {
    t.timeout(120_000);
    const room = new Room(t, await folder(t), args);
    for (const name of NAMES) await room.enter(name);
    await room.all(isHere, NAMES);
    await room.talk();
    // The default transport tests all four; the other transports only show that they make no
    // difference.
    const victims = args.length === 2 ? ['bob', 'ada', 'dee', 'cyd'] : ['ada'];
    for (const victim of victims) {
      const before = room.now();
      await room.writtenDown(victim);
      await room.kill(victim);
      await room.all(hasGone, [victim], before);
      await room.talk();
      await room.enter(victim);
      before.delete(victim);
      await room.all(isHere, [victim], before);
      await Promise.all(others(victim).map((name) => room.people.get(victim)!.sees(isHere(name))));
      await room.talk();
    }
    for (const name of NAMES) t.is(await room.people.get(name)!.leaves(), 0);
  });
}

test.serial('a node that returns finds the others even if the first one is gone', async (t) => {
  t.timeout(120_000);
  const room = new Room(t, await folder(t), []);
  for (const name of NAMES) await room.enter(name);
  await room.all(isHere, NAMES);
  await room.writtenDown('bob');
  await room.kill('ada');
  await room.kill('bob');
  await room.enter('bob');
  await Promise.all(['cyd', 'dee'].map((name) => room.people.get('bob')!.sees(isHere(name))));
  await room.talk();
});

test.serial('rooms are separate; /who lists a room, /quit and Ctrl-C leave it', async (t) => {
  t.timeout(60_000);
  const ada = new Person(t, ['--name', 'ada']);
  const [, address] = await ada.sees(/at (\S+)$/);
  const bob = new Person(t, ['--name', 'bob', '--join', address!]);
  const spy = new Person(t, ['--name', 'spy', '--join', address!, '--room', 'elsewhere']);
  await spy.sees(/in room elsewhere/);
  await Promise.all([ada.sees(isHere('bob')), bob.sees(isHere('ada'))]);
  ada.says('hello\u0007 \u{1f30d}');
  await bob.sees(/^\d\d:\d\d:\d\d ada: hello {2}\u{1f30d}$/u);
  ada.says('/who');
  await ada.sees(/^\* here: you, bob \([0-9a-f]{8}\)$/);
  t.is(await bob.leaves(), 0);
  await ada.sees(hasGone('bob'));
  ada.says('x'.repeat(5_000));
  await ada.sees(/^\* .*too/i);
  ada.says('/quit');
  t.is(await ada.ends(), 0);
  // A connection that ended early may be reported as one without a hello.
  t.deepEqual(
    spy.lines.filter((text) => text.includes('ada: hello')),
    [],
  );
});

test.serial('an error is reported in one line', async (t) => {
  const wrong =
    /^chat: createNode: node 'x': transport: Cannot listen on 'tcp:\/\/nonsense': a TCP/;
  const cases: [string, number, RegExp][] = [
    ['', 2, /^chat: --name is missing/],
    ['--name x --overlay star', 2, /^chat: --overlay: expected mesh or tree, got 'star'/],
    ['--name x --speed 9', 2, /^chat: Unknown option '--speed'/],
    ['--name x --listen nonsense', 1, wrong],
    ['--name x --key /nowhere/at/all', 1, /^chat: .*its folder does not exist/],
  ];
  for (const [args, code, pattern] of cases) {
    const person = new Person(t, args.split(' ').filter(Boolean));
    t.is(await person.ends(), code);
    t.is(person.lines.length, 1, person.lines.join('\n'));
    t.regex(person.lines[0]!, pattern);
  }
  const ada = new Person(t, ['--name', 'ada']);
  const [, address] = await ada.sees(/at (\S+)$/);
  const bob = new Person(t, ['--name', 'bob', '--listen', address!]);
  t.is(await bob.ends(), 1);
  t.regex(
    bob.lines.join('\n'),
    /^chat: createNode: node 'bob': transport: Cannot listen on .*another process listens on this address.*$/,
  );
});

test.serial('a node that joins through an absent one is told so and may continue', async (t) => {
  const person = new Person(t, ['--name', 'x', '--join', '127.0.0.1:1']);
  await person.sees(/^\* tcp:\/\/127.0.0.1:1: Cannot connect/);
  person.says('anybody?');
  await person.sees(/^\* nobody else is in the room$/);
  t.is(await person.leaves(), 0);
});
