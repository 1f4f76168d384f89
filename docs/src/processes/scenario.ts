import { check, nemeses, type Simulation } from '@trunkline/simulation';
import { bytes, defineProtocol, serve } from '@trunkline/transport-core';

const register = defineProtocol({
  name: 'register',
  version: 1,
  channel: 0x20,
  methods: {
    get: { id: 1, request: bytes, response: bytes },
    set: { id: 2, request: bytes, response: bytes },
  },
});
const [empty, text] = [new Uint8Array(0), new TextDecoder()];

/** A node with a register on its disk, which crashes, and two clients. */
export default async function registerScenario(sim: Simulation): Promise<void> {
  sim.node('n1', async ({ transport, store }) => {
    const net = transport(register);
    serve(net, {
      get: async () => {
        const value = await store.get('value');
        await store.sync(); // A value that was read must not be lost in a crash.
        return value ?? empty;
      },
      set: async (value) => {
        await store.set('value', value);
        await store.sync();
        return empty;
      },
    });
    await net.listen();
  });
  const history = check.createHistory(sim);
  const work = async (name: string) => {
    const net = sim.client(register, { name, timeout: 300 });
    for (let i = 0; i < 30; i++) {
      const value = `${name}.${i}`;
      const set = history.call(name, { key: 'x', op: 'set', value });
      const sent = net.send('n1', 'set', new TextEncoder().encode(value));
      await sent.then(() => set.ok()).catch(() => set.unknown());
      const get = history.call(name, { key: 'x', op: 'get' });
      const got = net.send('n1', 'get', empty);
      await got.then((found) => get.ok(text.decode(found) || undefined)).catch(() => get.unknown());
      await net.clock.sleep(50);
    }
  };
  await sim.settle(Promise.all([work('c1'), work('c2')]));
  const verdict = check.linearizable(history);
  if (verdict.linearizable !== true) throw new Error(verdict.text, { cause: verdict });
}

export const nemesis = nemeses.crashes({ duration: 1_500, calm: 300, lasts: [100, 300] });
