// What a network costs from 10 to 100,000 nodes: measures the costs of the parts, and writes
// docs/scale.md from them.

import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { listed, positive } from '@trunkline/bench/arguments';
import { taskOf } from '@trunkline/bench/benchmark';
import { isInstalled, measureSwarm } from '@trunkline/bench/gossip-processes/measure';
import { endProgress, showProgress } from '@trunkline/bench/progress';
import { runRounds } from '@trunkline/bench/rounds';
import { median } from '@trunkline/bench/statistics';
import { figureOf } from '@trunkline/bench/summary';
import { runAll } from './gossip/pool.ts';
import { formatScale } from './scale/document.ts';
import { type ProcessCost, readFigures, readMemory, type ScaleFigures } from './scale/figures.ts';
import { measureWhole, type WholeFigures, type WholeKind } from './scale/whole.ts';

const PARTS = ['processes', 'whole', 'trees'];
const USAGE = `usage: node evaluation/dist/scale.js [options]

  --only <names>     runs only these parts, comma-separated: ${PARTS.join(', ')}, none
  --processes <n>    number of processes that exchange messages (default: 12)
  --seconds <n>      seconds of each measurement of processes, after as many of warm-up (default: 10)
  --rounds <n>       number of rounds of processes (default: 3)
  --nodes <n>        sizes of networks of whole nodes, comma-separated (default: 10,20,40)
  --trees <n>        sizes of networks of trees (default: 10,30,100,300,1000,3000,10000)
  --seed <n>         seed of the simulations (default: 1)
  --report           writes docs/scale.md and docs/scale/figures.json; parts and sizes that did not
                     run keep the figures of an earlier report
  --help             prints this text`;

const TYPES = { type: 'string' } as const;
const FLAG = { type: 'boolean' } as const;
const KINDS: readonly WholeKind[] = ['mesh', 'trees', 'relays'];
const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url));

try {
  const { values } = parseArgs({
    options: {
      only: TYPES,
      processes: TYPES,
      seconds: TYPES,
      rounds: TYPES,
      nodes: TYPES,
      trees: TYPES,
      seed: TYPES,
      report: FLAG,
      help: FLAG,
    },
  });
  if (values.help === true) console.log(USAGE);
  else {
    const parts = values.only === undefined ? PARTS : listed(values.only);
    const unknown = parts.find((name) => name !== 'none' && !PARTS.includes(name));
    if (unknown !== undefined) throw new TypeError(`--only: there is no '${unknown}'`);
    const seed = positive('seed', values.seed, 1);
    const several = (name: 'nodes' | 'trees', otherwise: string) =>
      listed(values[name] ?? otherwise).map((text) => positive(name, text, 1));
    const file = `${DOCS}scale/figures.json`;
    let figures: ScaleFigures = readFigures(file);
    if (parts.includes('trees')) {
      const sizes = several('trees', '10,30,100,300,1000,3000,10000');
      const jobs = sizes.map((nodes) => ({ scenario: 'sizes', seed, nodes }));
      const results = await runAll(jobs, { workers: Math.min(2, availableParallelism()) });
      const trees = results.map(({ job, figures: own, seconds }) => ({
        nodes: job.nodes,
        seconds,
        figures: own,
      }));
      const isOther = ({ nodes }: { readonly nodes: number }) => !sizes.includes(nodes);
      const kept = (figures.trees ?? []).filter(isOther);
      figures = { ...figures, trees: [...kept, ...trees].sort((a, b) => a.nodes - b.nodes) };
    }
    if (parts.includes('whole')) {
      const sizes = several('nodes', '10,20,40');
      const whole: WholeFigures[] = [];
      for (const kind of KINDS)
        for (const nodes of sizes) {
          showProgress(`${kind}, ${nodes} nodes`, whole.length / (KINDS.length * sizes.length));
          whole.push(await measureWhole({ kind, nodes, seed }));
        }
      endProgress();
      const kept = (figures.whole ?? []).filter(({ nodes }) => !sizes.includes(nodes));
      const order = ({ kind, nodes }: WholeFigures) => KINDS.indexOf(kind) * 1e9 + nodes;
      const all = [...kept, ...whole].sort((a, b) => order(a) - order(b));
      figures = { ...figures, whole: all };
    }
    if (parts.includes('processes')) {
      const seconds = positive('seconds', values.seconds, 10);
      const nodes = positive('processes', values.processes, 12);
      const rounds = positive('rounds', values.rounds, 3);
      figures = { ...figures, processes: await measureProcesses(nodes, seconds, rounds) };
    }
    if (values.report === true) {
      mkdirSync(`${DOCS}scale`, { recursive: true });
      writeFileSync(file, `${JSON.stringify(figures, undefined, 1)}\n`);
    }
    const absent = PARTS.filter((part) => figures[part as keyof ScaleFigures] === undefined);
    if (absent.length > 0)
      console.log(`These parts have no figures yet: ${absent.join(', ')}. Run them with --report`);
    else {
      const text = formatScale(figures, readMemory(`${DOCS}performance/figures.json`));
      if (values.report === true) writeFileSync(`${DOCS}scale.md`, text);
      else console.log(text);
    }
  }
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}

/** Measures real processes over each overlay, and over a NATS server if one is installed. */
async function measureProcesses(
  nodes: number,
  seconds: number,
  rounds: number,
): Promise<NonNullable<ScaleFigures['processes']>> {
  const [size, rate] = [256, 200];
  const load = { rates: [rate], size, seconds, warm: seconds };
  const tasks = (['tree', 'mesh', 'nats'] as const).filter(isInstalled).map((kind) =>
    taskOf({ group: '', name: kind }, async () => {
      const [figures] = await measureSwarm(kind, nodes, load, () => {});
      const { cpu, publisherCpu, serverCpu, bytes } = figures!;
      return { cpu, publisher: publisherCpu, server: serverCpu, bytes };
    }),
  );
  const measured = await runRounds({ tasks }, rounds, showProgress).finally(endProgress);
  const kinds: Record<string, ProcessCost> = {};
  for (const { title: kind } of tasks) {
    const of = (key: string) =>
      median(measured.map((round) => figureOf(round, { group: '', name: kind }, key) || 0));
    kinds[kind] = {
      cpu: of('cpu'),
      publisher: of('publisher'),
      server: of('server'),
      bytes: of('bytes'),
    };
  }
  const machine = {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    node: process.versions.node,
  };
  return { nodes, size, rate, kinds, machine };
}
