// A run with every fault turned on. When run as a process, it prints the hash for a given seed and
// level.

import process from 'node:process';
import {
  createSimulation,
  type LinkOptions,
  type Simulation,
  type SimulationLevel,
} from './index.ts';
import {
  drain,
  items,
  outcome,
  startTransport,
  type TestTransport,
} from './testing/test-protocol.ts';

export interface WildRun {
  readonly sim: Simulation;
  /** The random numbers that each node drew, by name. */
  readonly drawn: Record<string, number[]>;
  /** The results of all calls. */
  readonly ended: string[];
}

const BAD: LinkOptions = {
  latency: { lognormal: 8, sigma: 0.7, least: 1, most: 400 },
  loss: 0.03,
  burst: { begin: 0.01, end: 0.2 },
  duplicate: 0.05,
  reorder: 0.05,
  bandwidth: 2_000_000,
  queue: 100_000,
  fragment: 0.3,
};

/**
 * Runs nodes that call each other in every way under every kind of fault. With `change`, the code
 * behaves slightly differently.
 */
export async function wildRun(
  seed: number,
  level: SimulationLevel,
  { nodes = 4, change = false, corrupt = 0 } = {},
): Promise<WildRun> {
  const sim = createSimulation({
    seed,
    level,
    link: { ...BAD, corrupt },
    disk: { latency: [0, 3], sync: { exponential: 5 }, failure: 0.05 },
  });
  const drawn: Record<string, number[]> = {};
  const ended: string[] = [];
  const names = Array.from({ length: nodes }, (_, i) => `n${i + 1}`);
  for (const name of names) {
    drawn[name] = [];
    sim.node(name, async (context) => {
      const { clock, random, store, log } = context;
      const node: TestTransport = await startTransport(context);
      const peers = names.slice(0, 4).filter((other) => other !== name);
      const work = async (i: number) => {
        drawn[name]!.push(random());
        const to = peers[i % peers.length]!;
        const timeout = 400;
        const calls = [
          () => outcome(node.send(to, 'echo', `${i}`, { timeout })),
          () =>
            outcome(
              node
                .send(to, 'echo', 'x'.repeat(70_000), { timeout })
                .then((answer) => `${answer.length}`),
            ),
          () =>
            outcome(
              node.send(to, 'hint', change ? `hint ${i}` : `${i}`, { timeout }).then(() => 'sent'),
            ),
          () => drain(node.send(to, 'mirror', '', { timeout, upload: items('', 4) })),
          () =>
            outcome(
              store
                .set(`${i % 7}`, new Uint8Array(i % 50))
                .then(() => store.sync().then(() => 'safe')),
            ),
        ];
        const result = await calls[i % calls.length]!();
        ended.push(`${name} ${result}`);
        if (i % 10 === 0) log(`${i}: ${result}`);
        await clock.sleep(5 + random() * 20);
      };
      const loop = async (i: number) => {
        for (;;) await work((i += 1));
      };
      for (let worker = 0; worker < 4; worker++) void loop(worker);
    });
  }
  sim.schedule([
    {
      at: 300,
      do: 'partition',
      groups: [
        ['n1', 'n2'],
        ['n3', 'n4'],
      ],
    },
    { at: 700, do: 'heal' },
    { at: 800, do: 'cut', from: 'n1', to: 'n2', direction: 'one-way' },
    { at: 850, do: 'hold', from: 'n2', to: 'n3' },
    { at: 900, do: 'skew', node: 'n1', by: -200 },
    { at: 950, do: 'drift', node: 'n2', ppm: 500 },
    { at: 1_000, do: 'pause', node: 'n3', for: 300 },
    { at: 1_050, do: 'release', from: 'n2', to: 'n3' },
    { at: 1_100, do: 'slow', node: 'n4', cost: 0.5 },
    { at: 1_200, do: 'crash', node: 'n1' },
    { at: 1_250, do: 'crash', node: 'n2', power: 'lost' },
    { at: 1_300, do: 'refuse', node: 'n4' },
    { at: 1_350, do: 'reset', from: 'n3', to: 'n4' },
    { at: 1_400, do: 'halfClose', from: 'n4', to: 'n3' },
    { at: 1_500, do: 'disk', node: 'n3', disk: { failure: 0.5 } },
    { at: 1_600, do: 'link', from: 'n1', to: 'n3', link: { loss: 0.5 } },
    { at: 1_900, do: 'restart', node: 'n1' },
    { at: 2_000, do: 'recover' },
  ]);
  await sim.run(3_000);
  return { sim, drawn, ended };
}

const [, script, seed, level] = process.argv;
if (script?.endsWith('determinism.test.child.js') && level !== undefined) {
  const { sim } = await wildRun(Number(seed), level as SimulationLevel);
  process.stdout.write(`${sim.trace.hash} ${sim.trace.events} ${sim.events}`);
  await sim.close();
}
