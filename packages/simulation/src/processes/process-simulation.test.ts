// Tests of the simulation on processes without a whole scenario.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { ExecutionContext } from 'ava';
import test from '../testing/serial.ts';
import { PLAIN_TCP } from './process-network.ts';
import { ProcessSimulation } from './process-simulation.ts';

function simulation(t: ExecutionContext): ProcessSimulation {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-processes-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return new ProcessSimulation({
    seed: 1,
    scenario: new URL('./testing/counters.js', import.meta.url).href,
    networkUrl: undefined,
    network: PLAIN_TCP,
    prepared: null,
    nemesis: undefined,
    folder,
    onEvent: undefined,
  });
}

test('a fault injected before the start keeps the run from being calm', async (t) => {
  const sim = simulation(t);
  sim.partition([]);
  await sim.run(0);
  t.is(sim.calmSince, undefined);
  sim.heal();
  t.is(typeof sim.calmSince, 'number');
  await sim.close();
});

test('a process that the system does not start fails the run, and close ends', async (t) => {
  const { execPath } = process;
  t.teardown(() => {
    process.execPath = execPath;
  });
  process.execPath = '/nowhere/node';
  const sim = simulation(t).node('n1', () => {});
  await t.throwsAsync(sim.run(0), { message: /the process of n1 ended by .*ENOENT/ });
  await sim.close();
});

test('a node that is declared after the start is refused', async (t) => {
  const sim = simulation(t);
  await sim.run(0);
  t.throws(() => sim.node('n1', () => {}), { instanceOf: TypeError, message: /^node: .*before/ });
  await sim.close();
});
