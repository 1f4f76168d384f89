// Simulated nodes that relay long messages, for tests.

import { bytes } from '@trunkline/transport-core';
import type { ExecutionContext } from 'ava';
import { type RelayOptions, relay } from '../driver/relay-driver.ts';
import type { MessageMeta, ReceivedMessage, TopicOptions } from '../types.ts';
import { cluster, namesOf, type Run, simulationOf, type TestNode } from './cluster.ts';
import { identityOf } from './identities.ts';

/** Default options of relaying. */
export const RELAYING = { above: 10_000, fanout: 3, stall: 2_000 };

/** The snapshot of relaying when nothing is being relayed. */
export const NOTHING = { messages: 0, bytes: 0 };

/** Nodes that have met on one topic. */
export type Mesh = Awaited<ReturnType<typeof relayMesh>>;

/**
 * Creates nodes on one topic, and waits until all have met. If `isSigned`, nodes have keys and sign
 * their messages.
 */
export async function relayMesh(
  run: Run,
  count: number,
  {
    relay: relayOf = (_name: string): RelayOptions | undefined => RELAYING,
    topic: options = {} as TopicOptions<Uint8Array>,
    isSigned = false,
  } = {},
) {
  const names = namesOf(count);
  const sim = simulationOf(run);
  const listeners = new Map<string, ReturnType<typeof listenTo>>();
  const nodes = cluster(sim, names, {
    peers: (name) => ({ maxInbound: 100, ...(isSigned ? { identity: identityOf(name) } : {}) }),
    gossip: (name) => {
      const options = relayOf(name);
      const signatures = isSigned ? { identity: identityOf(name) } : undefined;
      return { relay: options && relay(options), signatures };
    },
    setup: (node) => void listeners.set(node.name, listenTo(node, options)),
  });
  await sim.until(
    () =>
      nodes.size === count &&
      [...listeners.values()].every(({ topic }) => topic.neighbors.length >= count - 1),
    60_000,
  );
  const node = (name: string) => nodes.get(name)!;
  return { sim, names, node, at: (name: string) => listeners.get(name)! };
}

function listenTo({ gossip }: TestNode, options: TopicOptions<Uint8Array>) {
  const topic = gossip.topic('blobs', bytes, options);
  const heard: ReceivedMessage<Uint8Array>[] = [];
  topic.subscribe((message: Uint8Array, meta: MessageMeta) => void heard.push({ message, meta }));
  return { topic, heard };
}

/** Returns bytes that differ for each `of`. */
export function blob(size: number, of = 1): Uint8Array {
  const blob = new Uint8Array(size);
  for (let i = 0, x = of * 2_654_435_761; i < size; i++) {
    x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0;
    blob[i] = x >>> 16;
  }
  return blob;
}

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;
export const sentBy = (node: TestNode) =>
  node.transport.snapshot().connections.reduce((sum, connection) => sum + connection.bytes.out, 0);

/** Asserts that each of these nodes has received each of these messages once, and nothing else. */
export function heardOnce(
  t: ExecutionContext,
  mesh: Mesh,
  names: readonly string[],
  blobs: readonly Uint8Array[],
  text = '',
): void {
  for (const name of names) {
    const { heard } = mesh.at(name);
    t.is(heard.length, blobs.length, `${text}: ${name}`);
    for (const each of blobs)
      t.is(heard.filter(({ message }) => same(message, each)).length, 1, `${text}: ${name}`);
  }
}

export const othersThan = (mesh: Mesh, ...names: readonly string[]) =>
  mesh.names.filter((name) => !names.includes(name));
