/// <reference lib="esnext.disposable" preserve="true" />
// `createNode`: composes the parts of a node, starts them in order, and closes them in reverse.

import { createGossip, partialView } from '@trunkline/gossip';
import { createPeers } from '@trunkline/peers';
import { serveHealth } from '@trunkline/resilience/health';
import { type Protocol, serve } from '@trunkline/transport-core';
import { parseOptions } from '@trunkline/transport-core/backend';
import { type MeshNode, type NodeCloseOptions, nodeCloseOptions } from './mesh-node.ts';
import { OpenParts } from './open-parts.ts';
import type { CreateNodeOptions } from './options.ts';
import { type NodeConfig, readOptions } from './read-options.ts';
import { openTopics } from './topics.ts';
import { openTransport } from './transport.ts';

/**
 * Creates a node and starts it: its transport, peers, topics, health, and the given parts. It
 * serves its handlers and joins its topics before it listens, and it dials its peers last. Peers
 * that can't be reached do not fail the start, because they are dialed again.
 *
 * If a part can't be started, everything that is open is closed again, and `createNode` rejects
 * with one TransportError that names the part, has the code, the reason and the target of the
 * part's error (`internal` if that is not a TransportError), and has this error as its cause.
 * Invalid options reject with a TypeError that names the option; so does a part that fails with a
 * TypeError. If a part closes the node while it starts, `createNode` rejects with `shutdown`.
 */
export async function createNode<
  P extends Protocol,
  Out = Record<never, never>,
  In = Record<never, never>,
  S = unknown,
>(options: CreateNodeOptions<P, Out, In, S>): Promise<MeshNode<P, Out, In, S>> {
  const config = readOptions(options);
  const parts = new OpenParts(config.name);
  try {
    return (await start(config, parts)) as MeshNode<P, Out, In, S>;
  } catch (error) {
    await parts.abandon(error);
    throw error;
  }
}

/** Opens each part, and registers it with `open`, which closes the last one first. */
async function start(config: NodeConfig, open: OpenParts): Promise<MeshNode> {
  const transport = await open.attempt('transport', () => openTransport(config));
  open.add('transport', (grace) => transport.close({ grace }));
  await open.attempt('handlers', () => serve(transport, config.handlers, config.serve));
  const health = await open.attempt('health', () => serveHealth(transport, config.health));
  open.add('health', () => health.close());

  const { identity } = config;
  const peers = await open.attempt('peers', () =>
    createPeers({ identity, ...config.peers, transport }),
  );
  open.add('peers', () => peers.close());
  const { topics: definitions, overlay = partialView(), ...others } = config.gossip;
  const gossip = await open.attempt('gossip', () =>
    createGossip({ ...others, overlay, transport, peers }),
  );
  open.add('gossip', () => gossip.close());
  const topics = await openTopics(gossip, definitions ?? {}, open);

  const node: MeshNode = {
    name: config.name,
    nodeId: peers.nodeId,
    transport,
    peers,
    gossip,
    health,
    topics,
    close: async (options: NodeCloseOptions = {}) => {
      const { grace } = parseOptions(nodeCloseOptions, options, 'node.close');
      return open.close(grace);
    },
    [Symbol.asyncDispose]: () => open.close(0),
  };
  for (const [index, part] of config.parts.entries()) {
    const label = `parts[${index}] '${part.name}'`;
    await open.attempt(label, () => part.start?.(node));
    open.add(label, () => part.close?.());
  }
  await open.attempt('gossip', () => gossip.start());
  if (config.address !== undefined) await open.attempt('transport', () => transport.listen());
  await open.attempt('peers', () => peers.start());
  return node;
}
