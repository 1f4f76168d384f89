// A simulated network whose nodes sign and check messages.

import type { IdentityKeyType } from '@trunkline/security';
import { fullMesh } from '../overlay/full-mesh.ts';
import { partialView } from '../overlay/partial-view.ts';
import type { SignatureOptions } from '../signatures/signatures.ts';
import type { TopicOptions } from '../types.ts';
import { areMet, cluster, listen, type Run, type Subscriber, simulationOf } from './cluster.ts';
import { identityOf } from './identities.ts';
import { type Forgery, frame, rawPeer } from './raw-peer.ts';

/** The option `signatures` of a node. */
export type Signing = SignatureOptions | undefined;

/** Differences from a network in which all nodes sign. */
export interface Plan {
  readonly signing?: (name: string) => Signing;
  readonly type?: (name: string) => IdentityKeyType;
  readonly overlay?: () => ReturnType<typeof fullMesh>;
  readonly topic?: TopicOptions<string>;
  readonly persistent?: (name: string) => readonly string[];
}

/**
 * Sets up nodes whose ids are those of their keys. All sign, unless the plan says otherwise.
 */
export function network(
  run: Run,
  names: readonly string[],
  { type = () => 'ed25519', overlay = fullMesh, ...plan }: Plan = {},
) {
  const sim = simulationOf(run);
  const subscribers = new Map<string, Subscriber>();
  const identity = (name: string) => identityOf(name, type(name));
  const signing = plan.signing ?? ((name) => ({ identity: identity(name) }));
  const made = overlay();
  const nodes = cluster(sim, names, {
    gossip: (name) => ({
      overlay: made,
      signatures: signing(name),
    }),
    peers: (name) => ({
      identity: identity(name),
      ...(plan.persistent === undefined ? {} : { persistent: plan.persistent(name) }),
    }),
    setup: (node) => subscribers.set(node.name, listen(node, 'news', plan.topic)),
  });
  const subscriber = (name: string) => subscribers.get(name)!;
  const node = (name: string) => nodes.get(name)!;
  return { sim, nodes, subscribers, subscriber, node, identity };
}

/**
 * Sets up a and b over partial views, and a stranger that is a neighbor of a; b gets the stranger's
 * messages only through a.
 */
export async function visit(run: Run, plan: Plan = {}) {
  const net = network(run, ['a', 'b'], { overlay: () => partialView(), ...plan });
  const { sim, nodes, subscribers, subscriber, node, identity } = net;
  await sim.until(() => nodes.size === 2 && areMet(subscribers.values(), 1), 20_000);
  const guest = await rawPeer(sim, { nodeId: identity('stranger').nodeId });
  // The stranger may become a neighbor by itself; otherwise it asks to become one.
  await sim.run(1_500);
  if (!subscriber('a').topic.neighbors.includes(guest.nodeId)) guest.join();
  await sim.until(() => subscriber('a').topic.neighbors.includes(guest.nodeId), 5_000);
  const push = (...forgeries: Forgery[]) => {
    guest.push(...forgeries.map(frame));
    return sim.run(300);
  };
  return {
    ...net,
    guest,
    push,
    heard: () => [...subscribers.values()].map((one) => one.words),
    a: node('a'),
    author: identity('author'),
  };
}
