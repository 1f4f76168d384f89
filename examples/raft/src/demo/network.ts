// Where those of one run meet: a place for each, from which it listens and dials, and at which it may prove who it is.

import { type Backend, createTransport, type Transport } from '@trunkline/transport-core';
import { connectAll, createInmemTransport } from '@trunkline/transport-inmem';
import { raftProtocol as protocol, type RaftProtocol } from '../protocol.ts';
import type { Roll } from './papers.ts';

/** Made anew for each run, with so many places. */
export type MakeNetwork = (places: number) => Promise<Network>;

export interface Network {
  readonly places: readonly Place[];
  /** There where ids are proven: one who belongs to another network, and tries this one. */
  readonly stranger?: Stranger | undefined;
}

export interface Place {
  /** Opens a listening transport, at a free address or at one that an earlier transport of this place had. */
  open(addr?: string): Promise<Transport<RaftProtocol>>;
  /** There where ids are proven. */
  readonly proof?: Proof | undefined;
}

export interface Proof {
  readonly nodeId: string;
  /** Changes whom this place denies, at once: who is connected is cut. */
  deny(nodeIds: readonly string[]): void | Promise<void>;
}

export interface Stranger {
  readonly nodeId: string;
  /** Opens a transport that only dials. */
  open(): Transport<RaftProtocol>;
}

export const inMemory: MakeNetwork = async (places) => {
  const reachable = new Map<string, ReturnType<typeof createInmemTransport<RaftProtocol>>>();
  const open = async (addr = `memory-${reachable.size + 1}`) => {
    const transport = createInmemTransport({ protocol, addr });
    await transport.listen();
    reachable.set(addr, transport);
    connectAll(...reachable.values());
    return transport;
  };
  return { places: Array.from({ length: places }, () => ({ open })) };
};

/** Everyone is believed. `anywhere`: what a newcomer listens on. */
export function plain(anywhere: string, backend: () => Backend): MakeNetwork {
  return async (places) => ({ places: Array.from({ length: places }, () => ({ open: opener(anywhere, backend()) })) });
}

/** Everyone proves its node id, by papers that the backend is given. */
export function secure<P extends { readonly nodeId: string }>(
  anywhere: string,
  issue: (count: number) => Promise<Roll<P>>,
  backend: (papers: P) => SecureBackend,
): MakeNetwork {
  return async (count) => {
    const { members, stranger } = await issue(count);
    const places = members.map((papers) => {
      const secured = backend(papers);
      const deny = (nodeIds: readonly string[]) => ('updateTls' in secured ? secured.updateTls({ deny: nodeIds }) : secured.updatePeers({ deny: nodeIds }));
      return { open: opener(anywhere, secured), proof: { nodeId: papers.nodeId, deny } };
    });
    const open = () => createTransport({ ...patient, protocol, backends: [backend(stranger)] });
    return { places, stranger: { nodeId: stranger.nodeId, open } };
  };
}

/** A backend whose lists can be changed while it runs: `tcp({ tls })`, `ws({ tls })`, `secured(…)`. */
type SecureBackend = Backend & ({ updateTls(update: { deny: readonly string[] }): Promise<void> } | { updatePeers(update: { deny: readonly string[] }): void });

function opener(anywhere: string, backend: Backend): Place['open'] {
  return async (addr = anywhere) => {
    const transport = createTransport(addr, { ...patient, protocol, backends: [backend] });
    try {
      await transport.listen();
      return transport;
    } catch (error) {
      await transport.close();
      throw error;
    }
  };
}

/** Milliseconds. What is urgent has a time of its own for each call; the rest may be slow on a machine that has much else to do. */
const patient = { dialTimeout: 15_000, handshakeTimeout: 15_000 };
