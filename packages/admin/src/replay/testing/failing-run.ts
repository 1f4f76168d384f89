// A recorded failure with a planted bug: a lock server that forgets who holds the lock when it
// restarts.

import { explore, type Recording, type Simulation } from '@trunkline/simulation';
import { type Codec, defineProtocol, serve } from '@trunkline/transport-core';

/** Encodes text as UTF-8. */
export const text: Codec<string> = {
  name: 'text',
  encode: (value) => new TextEncoder().encode(value),
  decode: (value) => new TextDecoder().decode(value),
};

const locks = defineProtocol({
  name: 'locks',
  channel: 0x20,
  methods: {
    acquire: { id: 1, request: text, response: text, timeout: 300 },
    release: { id: 2, request: text, response: text, timeout: 300 },
  },
});

/** Names that contain markup, or characters that change what a terminal shows. */
export const HOSTILE = {
  node: '<img-onerror=alert(1)>',
  state: '</script><script>document.title="taken"</script>\u001b[31m\u202e',
};

/** Runs clients that take a lock in turn, until two of them hold it. */
async function useLocks(sim: Simulation, third: string): Promise<void> {
  const holders = new Set<string>();
  sim.node('server', async ({ transport, store, state, log }) => {
    const net = transport(locks);
    let holder = '';
    serve(net, {
      async acquire(client) {
        if (holder !== '') return 'busy';
        holder = client;
        state({ holder });
        await store.set('holder', new TextEncoder().encode(holder));
        return 'yours';
      },
      release(client) {
        if (holder === client) holder = '';
        state({ holder: holder || 'nobody' });
        return 'done';
      },
    });
    // The bug: the server does not read the holder from its store.
    log('starts without a holder');
    await net.listen();
  });
  for (const name of ['ada', 'grace', third])
    sim.node(name, async ({ transport, clock, random, state, log }) => {
      const net = transport(locks);
      const ask = (method: 'acquire' | 'release') =>
        net.send('server', method, name).catch(() => 'no answer');
      for (;;) {
        state(name.startsWith('<') ? HOSTILE.state : 'waiting');
        await clock.sleep(20 + 60 * random());
        if ((await ask('acquire')) !== 'yours') continue;
        holders.add(name);
        state({ role: 'holder' });
        log(name.startsWith('<') ? HOSTILE.state : 'has the lock');
        await clock.sleep(100 + 100 * random());
        holders.delete(name);
        while ((await ask('release')) !== 'done') await clock.sleep(50);
      }
    });
  sim.always('one holder', () => holders.size <= 1);
  await sim.run(60_000);
}

/**
 * Searches for the failure, and returns the recording of it.
 *
 * @param third the name of the third client.
 */
export async function failingRun(
  level: 'message' | 'stream' = 'message',
  third = 'barbara',
): Promise<Recording> {
  const { failed } = await explore({
    name: 'one-holder',
    replay: 'node locks.js',
    scenario: (sim) => useLocks(sim, third),
    level,
    link: { latency: [1, 15], loss: level === 'message' ? 0.02 : 0 },
    nemesis: [400, 1_100, 2_000, 3_100, 4_500].flatMap((at) => [
      { at, do: 'crash', node: 'server' } as const,
      { at: at + 40, do: 'restart', node: 'server' } as const,
    ]),
    seeds: 20,
    // Shrinking the faults would leave a restart without its crash.
    shrink: false,
  });
  return failed[0]!.recording!;
}
