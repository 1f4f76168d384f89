// A recorded failure of a checked history, with a planted bug: a register that confirms a write even
// if it has not reached the backup, from which clients read.

import { check, explore, type Recording, type Simulation } from '@trunkline/simulation';
import { defineProtocol, serve } from '@trunkline/transport-core';
import { text } from './failing-run.ts';

const register = defineProtocol({
  name: 'register',
  channel: 0x20,
  methods: {
    get: { id: 1, request: text, response: text, timeout: 100 },
    set: { id: 2, request: text, response: text, timeout: 100 },
  },
});

/** Runs clients until long after the violation. */
async function useRegister(sim: Simulation): Promise<void> {
  for (const [name, other] of [
    ['primary', 'backup'],
    ['backup', undefined],
  ] as const)
    sim.node(name, async ({ transport, state, log }) => {
      const net = transport(register);
      let value = '';
      serve(net, {
        get: () => value,
        async set(next) {
          value = next;
          state({ value });
          if (other === undefined) return '';
          // The bug: the error is ignored.
          await net.send(other, 'set', next, { timeout: 20 }).catch(() => log('no backup'));
          return '';
        },
      });
      await net.listen();
    });
  const history = check.createHistory(sim);
  const work = async (name: string, node: string) => {
    const net = sim.client(register, { name });
    for (let i = 0; sim.now < 6_000; i++) {
      const isSet = node === 'primary' && i % 2 === 0;
      const value = `${name}.${i}`;
      const handle = isSet
        ? history.call(name, { key: 'x', op: 'set', value })
        : history.call(name, { key: 'x', op: 'get' });
      try {
        const answer = await net.send(node, isSet ? 'set' : 'get', isSet ? value : '');
        handle.ok(isSet ? undefined : answer || undefined);
      } catch {
        handle.unknown();
      }
      await net.clock.sleep(30 + 40 * net.random());
    }
  };
  await sim.settle(Promise.all([work('ada', 'primary'), work('grace', 'backup')]));
  const verdict = check.linearizable(history);
  if (verdict.linearizable !== true) throw new Error(verdict.text, { cause: verdict });
}

/** Searches for the failure, and returns the recording of it. */
export async function checkedRun(): Promise<Recording> {
  const { failed } = await explore({
    name: 'one-register',
    replay: 'node register.js',
    scenario: useRegister,
    link: { latency: [1, 5] },
    nemesis: [
      { at: 2_000, do: 'cut', from: 'primary', to: 'backup' },
      { at: 2_600, do: 'heal' },
    ],
  });
  return failed[0]!.recording!;
}
