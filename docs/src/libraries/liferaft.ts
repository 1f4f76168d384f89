import { explore, type NodeContext, type Simulation } from '@trunkline/simulation';
import { createLoader } from '@trunkline/simulation/loader';
import { defineProtocol, json, serve } from 'trunkline';
import { z } from 'zod';

const load = createLoader(import.meta.url);
const packet = { id: 1, request: json(z.any()) };
const wire = defineProtocol({ name: 'liferaft', version: 1, channel: 0x20, methods: { packet } });
const members = ['n1', 'n2', 'n3', 'n4'];
const timeouts = { 'election min': 600, 'election max': 1_200, heartbeat: 300 };

/** Runs four nodes of liferaft for eight virtual seconds, and checks one rule. */
const scenario = (rule: string) => async (sim: Simulation) => {
  const leaders = new Map<number, string>();
  const applied = new Set<string>();
  const broken = (name: string, text: string) => {
    if (name === rule) throw new Error(text);
  };
  const raftNode = async (context: NodeContext) => {
    const { name, transport, clock, state } = context;
    const { default: Raft } = await load(context, 'liferaft');
    const { default: Log } = await load(context, 'liferaft/log.js');
    const { default: adapter } = await load(context, 'memdown');
    const net = transport(wire);
    const send = (to: string, data: unknown) => void net.send(to, 'packet', data).catch(() => {});
    const raft = new Raft(name, { Log, adapter, path: name, ...timeouts });
    const reply = (to: string) => async (data: unknown) => send(to, await data);
    serve(net, { packet: (data) => void raft.emit('data', data, reply(data.address)) });
    await net.listen();
    for (const other of members)
      if (other !== name) raft.join(other, (data: unknown) => send(other, data));
    raft.on('state change', () => state({ role: Raft.states[raft.state], term: raft.term }));
    raft.on('leader', () => {
      const first = leaders.get(raft.term) ?? name;
      if (first !== name) broken('oneLeader', `${first} and ${name} both lead term ${raft.term}`);
      leaders.set(raft.term, name);
    });
    const life = `${name} (up since ${clock.now()} ms)`;
    raft.on('commit', (command: string) => {
      if (applied.has(life + command)) broken('appliesOnce', `${life} applies ${command} twice`);
      applied.add(life + command);
    });
    for (;;) {
      await clock.sleep(500);
      if (raft.state === Raft.LEADER) void raft.command(`${name}'s command of ${clock.now()} ms`);
    }
  };
  for (const name of members) sim.node(name, raftNode);
  const commits = () => rule !== 'commits' || applied.size > 0;
  sim.eventually('a command is applied', commits, { within: 4_000 });
  await sim.run(8_000);
};

for (const name of ['commits', 'appliesOnce', 'oneLeader']) {
  const profiles = name === 'oneLeader' ? (['crashStorms'] as const) : undefined;
  const search = { seeds: 24, shrinkRuns: 30, replay: 'node liferaft.js', name, profiles };
  const { failed } = await explore({ scenario: scenario(name), ...search });
  for (const { error, replay } of failed) console.log(error.message.split('\n')[0], `\n${replay}`);
}
