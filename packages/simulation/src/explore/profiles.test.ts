// Tests of the profiles of a search: each seed runs under the right one, and a failure names its
// profile.

import type { Simulation } from '../simulation.ts';
import test from '../testing/serial.ts';
import scenario from './explore.test.child.ts';
import { explore } from './explore.ts';
import type { ExploreFailure } from './failure.ts';
import { profiles } from './profiles.ts';
import { ask, content } from './testing/content.ts';

const NAMES = Object.keys(profiles);

/** Fails under each profile. */
const failing = async (sim: Simulation) => {
  for (const name of ['n1', 'n2', 'n3']) sim.node(name, () => {});
  await sim.run(1_000);
  throw new Error('always');
};

const everyFailure = async (options: Partial<Parameters<typeof explore>[0]> = {}) =>
  (await explore({ scenario: failing, seeds: 24, stopAfter: 24, replay: 'x', ...options })).failed;

test('without a link and a nemesis the seeds cycle through all profiles', async (t) => {
  const failed = await everyFailure();
  t.deepEqual(
    failed.map(({ profile }) => profile),
    [...NAMES, ...NAMES],
  );
  t.deepEqual(NAMES, [
    'constantLatency',
    'jitter',
    'loss',
    'longLines',
    'longPartitions',
    'rollingPartitions',
    'crashStorms',
    'longPauses',
    'wrongClocks',
    'machineFaults',
    'networkFaults',
    'swarm',
  ]);
  t.deepEqual(failed[0]!.link, { latency: 10 });
  t.regex(
    failed[0]!.error.message,
    /\nit fails under the profile constantLatency, and the link \{"latency":10\}\nSEED=failing(?:-\d+)?:1@constantLatency x$/,
  );
  t.regex(
    failed[6]!.error.message,
    /\nit fails under the profile crashStorms with 0 of the \d+ planned faults/,
  );
});

test('a seed has the same profile whatever seed comes first', async (t) => {
  for (const [seed, name] of [
    [3, 'loss'],
    [0, 'swarm'],
    [-11, 'constantLatency'],
  ] as const)
    t.is((await everyFailure({ seed, seeds: 1 }))[0]!.profile, name);
});

test('a link or a nemesis, of the search or of the module, turns the profiles off', async (t) => {
  for (const options of [{ link: {} }, { nemesis: [] }, { profiles: [] }])
    t.deepEqual(
      [...new Set((await everyFailure(options)).map(({ profile }) => profile))],
      [undefined],
    );
  const module = `data:text/javascript,${encodeURIComponent(`
    export default async (sim) => { await sim.run(1); throw new Error('always'); };
    export const options = { link: { latency: 3 } };`)}`;
  t.is((await everyFailure({ scenario: module }))[0]!.profile, undefined);
});

test('profiles may be chosen, and be your own; link and nemesis fill what they leave out', async (t) => {
  const own = { name: 'own', nemesis: [{ at: 5, do: 'heal' }] } as const;
  const failed = await everyFailure({
    profiles: ['loss', own],
    link: { latency: 7 },
    seeds: 2,
    shrink: false,
  });
  t.deepEqual(
    failed.map(({ profile, link, schedule }) => [profile, link, schedule.length]),
    [
      ['loss', { latency: [5, 15], loss: 0.02 }, 0],
      ['own', { latency: 7 }, 1],
    ],
  );
});

for (const workers of [1, 2]) {
  test(`a failure replays under its profile (${workers} workers)`, async (t) => {
    const options = {
      scenario: new URL('./explore.test.child.js', import.meta.url),
      seeds: 60,
      workers,
      name: 'pings',
      profiles: ['constantLatency', 'longPartitions', 'crashStorms'],
    } as const;
    const found = (await explore({ ...options, stopAfter: Number.POSITIVE_INFINITY })).failed;
    t.true(found.length > 0);
    const first = found[0] as ExploreFailure;
    t.regex(first.replay, new RegExp(`^SEED=pings:${first.seed}@${first.profile}:[\\d,-]+ `));
    ask(t, first.replay);
    t.deepEqual(
      content(await explore(options)).failed,
      content({ passed: 0, failed: [first], virtualHours: 0, seedsPerSecond: 0 }).failed,
    );
    await t.throwsAsync(explore({ ...options, profiles: ['jitter'] }), {
      instanceOf: TypeError,
      message: `explore: SEED names the profile '${first.profile}', which this search does not have; its profiles: jitter`,
    });
  });
}

test('invalid profiles throw TypeErrors that name them', async (t) => {
  const plan = { name: 'n', plan: () => [] };
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ profiles: 'jitter' }, /explore: profiles: must be a list/],
    [
      { profiles: ['calm'] },
      /explore: profiles: must be names \(constantLatency, .*\) or profiles .*, got "calm"/,
    ],
    [{ profiles: ['toString'] }, /explore: profiles: must be names/],
    [
      { profiles: [{ name: 'a b' }] },
      /explore: profiles: name must be 1 to 50 letters, digits and underscores, got "a b"/,
    ],
    [{ profiles: ['jitter', 'jitter'] }, /explore: profiles: two of them have the name 'jitter'/],
    [
      { profiles: [{ name: 'a', link: { loss: 2 } }] },
      /explore: profiles: a: link: loss: must be a share/,
    ],
    [{ profiles: [{ name: 'a', nemesis: 1 }] }, /explore: profiles: a: nemesis: must be a nemesis/],
    [
      { scenario: 'data:text/javascript,', workers: 2, profiles: [{ name: 'a', nemesis: plan }] },
      /explore: profiles: 'a' must have a list of faults for 2 workers/,
    ],
  ];
  for (const [options, message] of wrong)
    await t.throwsAsync(
      explore({ scenario, ...options } as never),
      { instanceOf: TypeError, message },
      String(message),
    );
});
