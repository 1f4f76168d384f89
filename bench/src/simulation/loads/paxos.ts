// The load 'paxos': registers replicated by a small Paxos, with clients whose history is checked
// for linearizability, while nodes crash.
//
// Each key is a register of its own, as in CASPaxos (Rystsov, 2018): whoever executes a command
// asks a majority for the latest accepted value and lets a majority accept the new one.

import { check, createSimulation, nemeses, type Simulation } from '@trunkline/simulation';
import { defineProtocol, json, serve } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import { z } from 'zod';
import type { Load } from './load.ts';

const MEMBERS = ['n1', 'n2', 'n3', 'n4', 'n5'];
const KEYS = ['a', 'b', 'c'];
const CLIENTS = 4;
const DURATION = 20_000;

const Key = z.string().min(1);
const Value = z.string().nullable();
const Wanted = z.object({
  key: Key,
  op: z.enum(['get', 'set', 'cas']),
  value: Value,
  expected: Value,
});
const Prepare = z.object({ key: Key, ballot: z.int() });
const Accept = z.object({ key: Key, ballot: z.int(), value: Value });
const Accepted = z.object({ promised: z.int(), ballot: z.int(), value: Value });

type Wanted = z.infer<typeof Wanted>;
type Accepted = z.infer<typeof Accepted>;

const protocol = defineProtocol({
  name: 'paxos',
  version: 1,
  channel: 0x20,
  methods: {
    prepare: { id: 1, request: json(Prepare), response: json(Accepted) },
    accept: { id: 2, request: json(Accept), response: json(z.boolean()) },
    execute: { id: 3, request: json(Wanted), response: json(z.union([Value, z.boolean()])) },
  },
});

/**
 * Resolves with the answers of a majority once it agrees, or with undefined if it can't any more.
 */
function majority<T>(calls: readonly Promise<T>[], agrees: (answer: T) => boolean) {
  return new Promise<T[] | undefined>((resolve) => {
    const answers: T[] = [];
    let open = calls.length;
    const settled = () => {
      if (--open === 0) resolve(undefined);
    };
    for (const call of calls) {
      call.then((answer) => {
        if (agrees(answer) && answers.push(answer) > calls.length / 2) resolve(answers);
        settled();
      }, settled);
    }
  });
}

function declareNodes(sim: Simulation): void {
  for (const [index, member] of MEMBERS.entries())
    sim.node(member, async ({ transport, store, clock, random }) => {
      const net = transport(protocol);
      const states = new Map<string, Accepted>();
      for (const key of KEYS) {
        const saved = await store.get(key);
        const state = saved && JSON.parse(new TextDecoder().decode(saved));
        states.set(key, state ?? { promised: 0, ballot: 0, value: null });
      }
      const save = async (key: string, state: Accepted) => {
        states.set(key, state);
        await store.set(key, new TextEncoder().encode(JSON.stringify(state)));
        await store.sync();
      };
      let round = 0;
      serve(net, {
        async prepare({ key, ballot }) {
          const state = states.get(key)!;
          round = Math.max(round, Math.floor(ballot / MEMBERS.length));
          if (ballot > state.promised) await save(key, { ...state, promised: ballot });
          return { ...state, promised: Math.max(ballot, state.promised) };
        },
        async accept({ key, ballot, value }) {
          if (ballot < states.get(key)!.promised) return false;
          await save(key, { promised: ballot, ballot, value });
          return true;
        },
        async execute({ key, op, value, expected }) {
          for (;;) {
            const ballot = ++round * MEMBERS.length + index;
            const prepared = await majority(
              MEMBERS.map((to) => net.send(to, 'prepare', { key, ballot }, { timeout: 200 })),
              ({ promised }) => promised === ballot,
            );
            if (prepared === undefined) {
              await clock.sleep(10 + 40 * random());
              continue;
            }
            const latest = prepared.reduce((a, b) => (b.ballot > a.ballot ? b : a)).value;
            const writes = op === 'set' || (op === 'cas' && latest === expected);
            const next = writes ? value : latest;
            const proposal = { key, ballot, value: next };
            const accepted = await majority(
              MEMBERS.map((to) => net.send(to, 'accept', proposal, { timeout: 200 })),
              (answer) => answer,
            );
            // Some may have accepted it, so it must not be tried again.
            if (accepted === undefined) throw new Error('a majority did not accept the value');
            return op === 'get' ? latest : writes;
          }
        },
      });
      await net.listen();
    });
}

export const paxos: Load = {
  name: 'paxos',
  title: 'Paxos with a linearizability check',
  async run(seed) {
    const link = { latency: [1, 20], loss: 0.01 } as const;
    const sim = createSimulation({ seed, link, nemesis: nemeses.crashes() });
    declareNodes(sim);
    const history = check.createHistory(sim);
    const random = seededRandom(seed);
    const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]!;
    const work = async (name: string) => {
      const client = sim.client(protocol, { name });
      for (let count = 0; sim.now < DURATION; count++) {
        const key = pick(KEYS);
        const value = `${name}.${count}`;
        const wanted = { key, op: pick(['get', 'set', 'cas'] as const), value, expected: null };
        const handle = history.call(name, commandOf(wanted));
        try {
          const result = await client.send(pick(MEMBERS), 'execute', wanted, { timeout: 2_000 });
          if (wanted.op === 'set') handle.ok();
          else handle.ok(result ?? undefined);
        } catch {
          handle.unknown();
        }
      }
    };
    const clients = Array.from({ length: CLIENTS }, (_, at) => work(`c${at + 1}`));
    await sim.settle(Promise.all(clients), DURATION * 2);
    const verdict = check.linearizable(history);
    if (verdict.linearizable !== true)
      throw new Error(`paxos: ${verdict.text}`, { cause: verdict });
    return sim;
  },
};

function commandOf({ key, op, value, expected }: Wanted): check.OperationCommand {
  if (op === 'get') return { key, op };
  if (op === 'set') return { key, op, value: value! };
  return { key, op, expected: expected ?? undefined, value: value! };
}
