// Runs the same fault in the simulation, with the same witnesses, in virtual time.

import { createSimulation } from '@trunkline/simulation';
import type { Remote } from '@trunkline/transport-core';
import type { Fates, FaultKind } from './kinds.ts';
import { protocol } from './protocol.ts';
import { Witness } from './witness.ts';

/** Returns the outcomes of both ends; undefined if the simulation has no such fault. */
export async function runSimulated(kind: FaultKind, seed = 1): Promise<Fates | undefined> {
  if (kind.simulate === undefined) return undefined;
  const sim = createSimulation({ seed, level: 'stream', link: { latency: kind.delay } });
  try {
    const witnesses: Record<string, Witness> = {};
    for (const name of [CALLEE, CALLER]) {
      sim.node(name, async ({ transport, clock }) => {
        const witness = (witnesses[name] = new Witness(clock));
        const net = transport(protocol, { observer: witness.observer });
        witness.serve(net);
        await net.listen();
        const run = async (remote: Remote) =>
          witness.run(net, remote, name === CALLER ? kind.size : 64);
        if (name === CALLER) void net.dial(CALLEE).then(run);
        else {
          void (async () => {
            for await (const event of net.connections())
              if (event.type === 'up') return run(event.remote);
          })();
        }
      });
    }
    await sim.run(SETTLING);
    for (const witness of Object.values(witnesses)) witness.begin();
    kind.simulate.begin(sim, [CALLER, CALLEE]);
    await sim.run(kind.lasts * 1_000);
    kind.simulate.end?.(sim);
    await sim.run((kind.watched - kind.lasts) * 1_000);
    return { caller: witnesses[CALLER]!.fate(), callee: witnesses[CALLEE]!.fate() };
  } finally {
    await sim.close();
  }
}

const CALLER = 'caller';
const CALLEE = 'callee';
const SETTLING = 1_000;
