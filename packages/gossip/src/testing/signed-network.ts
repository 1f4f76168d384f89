// A simulated network whose nodes sign and check messages.

import type { IdentityKeyType } from '@trunkline/security';
import type { GossipOptions } from '../options.ts';
import { partialView } from '../overlay/partial-view.ts';
import type { SignatureOptions } from '../signatures/signatures.ts';
import { type MeetOptions, meet, type Run } from './cluster.ts';
import { identityOf } from './identities.ts';
import { type Forgery, frame, rawPeer } from './raw-peer.ts';

/** Differences from a full mesh whose nodes all sign. */
export interface Plan extends Omit<MeetOptions, 'gossip'> {
  readonly signing?: (name: string) => SignatureOptions | undefined;
  readonly type?: (name: string) => IdentityKeyType;
  readonly gossip?: Partial<GossipOptions>;
}

/**
 * Sets up nodes whose ids are those of their keys, and waits until they are neighbors. All sign,
 * unless the plan says otherwise.
 */
export async function network(
  run: Run,
  names: readonly string[],
  { type = () => 'ed25519', signing, gossip, peers, ...others }: Plan = {},
) {
  const identity = (name: string) => identityOf(name, type(name));
  const made = await meet(run, names, {
    gossip: (name) => ({
      signatures: signing === undefined ? { identity: identity(name) } : signing(name),
      ...gossip,
    }),
    peers: (name) => ({ identity: identity(name), ...peers?.(name) }),
    ...others,
  });
  return { ...made, identity };
}

/**
 * Sets up a and b over partial views, and a stranger that is a neighbor of a; b gets the stranger's
 * messages only through a.
 */
export async function visit(run: Run, { gossip, ...plan }: Plan = {}) {
  const net = await network(run, ['a', 'b'], {
    gossip: { overlay: partialView(), ...gossip },
    ...plan,
  });
  const { sim, subscribers, subscriber, node, identity } = net;
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
