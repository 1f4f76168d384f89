// Attacks on the nodes of a topic, while honest nodes publish.

import { generateKeyPairSync, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createIdentity } from '@trunkline/security';
import { type Clock, type ClockTimer, systemClock } from '@trunkline/transport-core';
import type { Scenario, ScenarioRun } from '../scenario.ts';
import { concat, text } from '../wire.ts';
import {
  Control,
  control,
  heardOf,
  idIn,
  Method,
  messageId,
  publishing,
  push,
  TopicAttacker,
  type TopicNode,
  type TopicNodeOptions,
  topicNodes,
  until,
  view,
} from './topic-nodes.ts';

const carrier = 'tcp';

export const gossipCrowd: readonly Scenario[] = [
  {
    name: 'gossip-publisher-flood',
    title: 'only publishes, faster than a validator of 20 ms checks',
    cases: [96],
    carrier,
    async run(run) {
      const validate = () => sleep(20).then(() => 'accept' as const);
      const limits = { validateAtOnce: 4, validateQueue: { messages: 256 } };
      const [victim, publisher] = await topicNodes(run, [{ topic: { validate, ...limits } }, {}]);
      const flooder = await TopicAttacker.connect(run, victim!, false);
      await flooder.send(Method.control, [control(Control.attach)]);
      let isOver = false;
      const flood = async () => {
        const begin = Date.now();
        for (let number = 0; !isOver && !flooder.connection.isOver; number += 64)
          await flooder.send(
            Method.push,
            Array.from({ length: 64 }, (_, at) =>
              push(messageId(flooder.id, begin, number + at), SHORT),
            ),
          );
      };
      const flooding = flood();
      const texts = await publishing(publisher!, MESSAGES, run.duration / MESSAGES);
      const succeeded = await heardOf(victim!, texts);
      isOver = true;
      flooder.connection.destroy();
      await flooding;
      return {
        answer: flooder.connection.goAway ?? 'nothing',
        honest: { succeeded, of: MESSAGES },
        flaws: [],
      };
    },
  },
  {
    name: 'gossip-eclipse',
    title: 'takes the free places of one node with many ids, and asks it for links without end',
    cases: [106],
    carrier,
    async run(run) {
      const nodes = await established(run, 6);
      const [victim, publisher] = nodes;
      const crowd = await Crowd.on(run, [victim!], run.isShort ? 12 : 40);
      const texts = await publishing(publisher!, MESSAGES, run.duration / MESSAGES);
      const succeeded = await heardOf(victim!, texts);
      const honest = new Set(nodes.map(({ id }) => id));
      const isCut = !victim!.topic.neighbors.some((id) => honest.has(id));
      await crowd.end();
      return {
        answer: crowd.answer,
        honest: { succeeded, of: MESSAGES },
        flaws: isCut ? ['the victim has no honest neighbor left'] : [],
      };
    },
  },
  {
    name: 'gossip-sybils',
    title: 'asks all nodes for links with four ids for each honest one, and forwards nothing',
    cases: [103, 104],
    carrier,
    isSlow: true,
    async run(run) {
      // In a network of six nodes, as many ids cut off two of them in some runs.
      const nodes = await established(run, 12);
      const [publisher, ...others] = nodes;
      const crowd = await Crowd.on(run, nodes, 4);
      const texts = await publishing(publisher!, MESSAGES, run.duration / MESSAGES);
      let succeeded = 0;
      for (const node of others) succeeded += await heardOf(node, texts);
      await crowd.end();
      return {
        answer: crowd.answer,
        honest: { succeeded, of: MESSAGES * others.length },
        flaws: [],
      };
    },
  },
  {
    name: 'gossip-id-collisions',
    title: 'uses the next message ids of a node that signs, for forgeries and for notices',
    cases: [94, 95, 98],
    carrier,
    async run(run) {
      const [victim, publisher] = await established(run, 2, [
        { identity: createIdentity() },
        { identity: createIdentity() },
      ]);
      const attacker = await TopicAttacker.connect(run, victim!, true);
      const { publicKey } = generateKeyPairSync('ed25519');
      const spki = publicKey.export({ type: 'spki', format: 'der' });
      let forged = 0;
      attacker.onOneway = (method, payload) => {
        if (method !== Method.push) return;
        const { origin, life, number } = idIn(payload);
        if (origin !== publisher!.id) return;
        const next = Array.from({ length: 4 }, (_, at) => messageId(origin, life, number + 1 + at));
        const forgery = text('forged');
        forged++;
        void attacker.send(Method.push, [
          ...next.map((id) => push(id, forgery)),
          ...next.map((id) => push(id, forgery, { spki, signature: new Uint8Array(64) })),
        ]);
        const notices = next.map((id) => concat(id, Uint8Array.of(0, 1)));
        void attacker.send(Method.control, [control(Control.ihave, concat(...notices))]);
      };
      const texts = await publishing(publisher!, MESSAGES, run.duration / MESSAGES);
      const succeeded = await heardOf(victim!, texts);
      const { heard } = victim!;
      return {
        answer: attacker.connection.outcome(),
        honest: { succeeded, of: MESSAGES },
        flaws: [
          ...(forged === 0 ? ['the attacker saw no message'] : []),
          ...(heard.includes('forged') ? ['a forgery was delivered'] : []),
          ...(heard.length > new Set(heard).size ? ['a message was delivered twice'] : []),
        ],
      };
    },
  },
  {
    name: 'gossip-replay',
    title: 'sends signed messages again, at once and nine minutes later',
    cases: [93, 110],
    carrier,
    async run(run) {
      const clock = new LeapingClock();
      const [victim, publisher] = await established(run, 2, [
        { identity: createIdentity(), clock },
        { identity: createIdentity() },
      ]);
      const attacker = await TopicAttacker.connect(run, victim!, true);
      const recorded: Uint8Array[] = [];
      attacker.onOneway = (method, payload) => {
        if (method === Method.push) recorded.push(payload);
      };
      const texts = await publishing(publisher!, MESSAGES, run.duration / MESSAGES);
      const succeeded = await heardOf(victim!, texts);
      await attacker.send(Method.push, recorded);
      await attacker.connection.settled();
      clock.ahead = 9 * 60_000;
      const again = await TopicAttacker.connect(run, victim!, true);
      await again.send(Method.push, recorded);
      await again.connection.settled();
      const { heard } = victim!;
      return {
        answer: again.connection.outcome(),
        honest: { succeeded, of: MESSAGES },
        flaws: [
          ...(recorded.length === 0 ? ['the attacker saw no message'] : []),
          ...(heard.length > new Set(heard).size ? ['a message was delivered twice'] : []),
        ],
      };
    },
  },
];

/** Starts nodes, and waits until each has heard messages over its links. */
async function established(
  run: ScenarioRun,
  count: number,
  options: readonly TopicNodeOptions[] = [],
): Promise<TopicNode[]> {
  const nodes = await topicNodes(
    run,
    Array.from({ length: count }, (_, at) => options[at] ?? {}),
  );
  const links = Math.min(count - 1, 3);
  await until(() => nodes.every(({ topic }) => topic.neighbors.length >= links));
  for (const node of nodes) {
    const first = `first of ${node.id}`;
    await node.topic.publish(text(first));
    for (const other of nodes) if (other !== node) await heardOf(other, [first]);
  }
  return nodes;
}

/** Attackers that ask for links again and again, name each other, and pass nothing on. */
class Crowd {
  readonly #members: readonly TopicAttacker[];
  #round = 1;
  #isOver = false;
  readonly #attack: Promise<void>;

  private constructor(members: readonly TopicAttacker[]) {
    this.#members = members;
    for (const member of members)
      member.onOneway = (method, payload) => {
        if (method === Method.view) this.#answer(member, payload);
      };
    this.#attack = this.#asking();
  }

  /** Connects `each` attackers to each of the nodes, as far as these admit them. */
  static async on(run: ScenarioRun, nodes: readonly TopicNode[], each: number): Promise<Crowd> {
    const members: TopicAttacker[] = [];
    for (let at = 0; at < each; at++)
      for (const node of nodes) {
        const member = await TopicAttacker.connect(run, node, true).catch(() => undefined);
        if (member !== undefined) members.push(member);
      }
    return new Crowd(members);
  }

  get answer(): string {
    return [...new Set(this.#members.map(({ connection }) => connection.outcome()))].join(', ');
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#attack;
  }

  async #asking(): Promise<void> {
    for (; !this.#isOver; this.#round++) {
      for (const member of this.#members)
        await member.send(Method.view, [
          view({ type: 'join', request: this.#round }),
          view({ type: 'neighbor', request: this.#round, high: true, full: false }),
          view({
            type: 'shuffle',
            origin: member.id,
            id: this.#round,
            ttl: 3,
            peers: this.#some(),
          }),
        ]);
      await sleep(250);
    }
  }

  #answer(member: TopicAttacker, payload: Uint8Array): void {
    const { message } = JSON.parse(new TextDecoder().decode(payload)) as {
      readonly message: { readonly type: string; readonly request?: number; readonly id?: number };
    };
    if (message.type === 'neighbor' || message.type === 'join')
      void member.send(Method.view, [view({ type: 'accept', request: message.request })]);
    else if (message.type === 'shuffle')
      void member.send(Method.view, [
        view({ type: 'shuffle-reply', id: message.id, peers: this.#some() }),
      ]);
  }

  #some(): string[] {
    return Array.from({ length: 7 }, () => this.#members[randomInt(this.#members.length)]!.id);
  }
}

/** A real clock that can leap ahead. */
class LeapingClock implements Clock {
  ahead = 0;

  now(): number {
    return performance.now() + this.ahead;
  }

  setTimeout(callback: () => void, delay: number): ClockTimer {
    return systemClock.setTimeout(callback, delay);
  }

  clearTimeout(timer: ClockTimer): void {
    systemClock.clearTimeout(timer);
  }

  sleep(delay: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(delay, signal);
  }

  defer(callback: () => void): void {
    systemClock.defer(callback);
  }
}

const MESSAGES = 50;
const SHORT = new Uint8Array(100);
