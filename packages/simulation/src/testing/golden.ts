// A run that uses a little of every feature. Its expected hash is recorded here; it must be the
// same on every release of Node and in browsers.

import { bytes, defineProtocol, serve } from '@trunkline/transport-core';
import type {
  DiskOptions,
  LinkOptions,
  ScheduledFault,
  Simulation,
  SimulationLevel,
} from '../index.ts';
import { createSimulation } from '../simulation.ts';

const golden = defineProtocol({
  name: 'golden',
  version: 1,
  channel: 0x20,
  methods: {
    echo: { id: 1, request: bytes, response: bytes },
    hint: { id: 2, request: bytes },
    install: { id: 3, request: bytes, upload: bytes, response: bytes },
    fetch: { id: 4, request: bytes, download: bytes },
  },
});

const NAMES = ['n1', 'n2', 'n3', 'n4', 'n5'];

const LINK: LinkOptions = {
  latency: { lognormal: 4, sigma: 0.6 },
  loss: 0.01,
  burst: { begin: 0.002, end: 0.2 },
  duplicate: 0.01,
  reorder: 0.02,
  bandwidth: 10_000_000,
};
const DISK: DiskOptions = { latency: [0, 1], sync: { exponential: 2 }, failure: 0.01 };
const FAULTS: readonly ScheduledFault[] = [
  {
    at: 3_000,
    do: 'partition',
    groups: [
      ['n1', 'n2'],
      ['n2', 'n3', 'n4', 'n5'],
    ],
  },
  { at: 6_000, do: 'heal' },
  { at: 7_000, do: 'crash', node: 'n3' },
  { at: 8_000, do: 'cut', from: 'n1', to: 'n2', direction: 'one-way' },
  { at: 9_000, do: 'restart', node: 'n3' },
  { at: 10_000, do: 'hold', from: 'n4', to: 'n5' },
  { at: 11_000, do: 'release', from: 'n4', to: 'n5' },
  { at: 12_000, do: 'skew', node: 'n1', by: -250 },
  { at: 12_000, do: 'drift', node: 'n2', ppm: 50_000 },
  { at: 13_000, do: 'pause', node: 'n4', for: 700 },
  { at: 14_000, do: 'slow', node: 'n5', cost: 3 },
  { at: 15_000, do: 'crash', node: 'n1', power: 'lost' },
  { at: 18_000, do: 'reset', from: 'n4', to: 'n5' },
  { at: 20_000, do: 'recover' },
];

/** A recorded run: one of each level, and one at the message level whose disks damage data. */
export type GoldenRun = SimulationLevel | 'disks';

/** Settings that differ from those of the recorded runs. */
export interface GoldenSettings {
  readonly link?: LinkOptions;
  readonly disk?: DiskOptions;
  readonly faults?: readonly ScheduledFault[];
  readonly milliseconds?: number;
}

/** Returns the hash of a recorded run. */
export async function goldenHash(run: GoldenRun, seed: number): Promise<string> {
  const sim = await goldenRun(run, seed);
  const { hash } = sim.trace;
  await sim.close();
  return hash;
}

/**
 * Runs five nodes that make calls of every kind under many faults, for 30 virtual seconds unless
 * `milliseconds` is set.
 */
export async function goldenRun(
  run: GoldenRun,
  seed: number,
  { link = LINK, disk = DISK, faults = FAULTS, milliseconds = 30_000 }: GoldenSettings = {},
): Promise<Simulation> {
  const isDamaged = run === 'disks';
  const level = isDamaged ? 'message' : run;
  const damage = isDamaged
    ? { sync: 400, torn: 0.5, reordered: 0.5, rot: 0.01, capacity: 100_000 }
    : {};
  const sim = createSimulation({
    seed,
    level,
    link,
    disk: { ...disk, ...damage },
  });
  for (const name of NAMES) {
    sim.node(name, async ({ transport, clock, random, store, log }) => {
      const t = transport(golden, { timeout: 800 });
      await t.listen();
      /** Records the size and the end of a value, which show what a crash or rot did to it. */
      const show = async (key: string) => {
        const value = await store.get(key);
        log(`${key}: ${value?.length} bytes, the last ${value?.at(-1)}`);
      };
      if (isDamaged)
        for (let i = 0; i < 8; i++) await show(`hint-${i}`).catch((error) => log(String(error)));
      const server = serve(t, {
        echo: (request) => request,
        hint: async (request) => {
          if (isDamaged) {
            await show(`hint-${request.length % 8}`);
            await store.set(`hint-${request.length % 8}`, request);
          } else await store.set(`hint-${request[0]! % 8}`, request);
          await store.sync();
        },
        install: async (request, { upload }) => {
          let size = request.length;
          for await (const item of upload) size += item.length;
          return new Uint8Array([size & 0xff]);
        },
        fetch: async function* (request) {
          for (let i = 0; i < 5; i++) yield request;
        },
      });
      const payload = () =>
        Uint8Array.from(
          { length: 1 + Math.floor(random() * (random() < 0.05 ? 100_000 : 100)) },
          (_, i) => i & 0xff,
        );
      const items = async function* () {
        for (let i = 0; i < 5; i++) yield payload();
      };
      const drain = async (download: AsyncIterable<Uint8Array>) => {
        for await (const item of download) if (item.length === 0) log('an empty item');
      };
      const act = async (): Promise<unknown> => {
        const to = NAMES[Math.floor(random() * NAMES.length)]!;
        const kind = random();
        if (kind < 0.5) return t.send(to, 'echo', payload());
        if (kind < 0.7) return t.send(to, 'hint', payload());
        if (kind < 0.85)
          return t.send(to, 'install', payload(), { upload: items(), timeout: 2_000 });
        return drain(await t.send(to, 'fetch', payload(), { timeout: 2_000 }));
      };
      const tick = () => {
        act().then(
          () => {},
          (error: Error) => log(error.message),
        );
        timer = clock.setTimeout(tick, 20 + random() * 80);
      };
      let timer = clock.setTimeout(tick, 10);
      return async () => {
        clock.clearTimeout(timer);
        await server.stop({ grace: 0 });
        await t.close();
      };
    });
  }
  sim.schedule(faults);
  if (isDamaged)
    for (let at = 4_000; at < 20_000; at += 1_000) {
      const node = NAMES[(at / 1_000) % NAMES.length]!;
      const crash = { at: at + 300, do: 'crash', node, power: 'lost' } as const;
      sim.schedule([crash, { at: at + 600, do: 'restart', node }]);
    }
  await sim.run(milliseconds);
  return sim;
}

/**
 * The expected hashes. A change of a simulation's behavior must record new hashes, which must be
 * the same on every platform.
 */
export const GOLDEN: Readonly<Record<GoldenRun, string>> = {
  message: 'a7e007b2f0989b94e6f42b2d184b1ea93bd6adbe839fa661a6bafe85074fae67',
  disks: 'ad14c7e6df4577d9045c41f1024b2918439b4a60befb230bcad30c17ed3a85c7',
  stream: '24eea39a2322b7e36067ccc9d0f99c78279b174e6f19f331c81fe1712f5eba5a',
};
