// The network of one run: a place for each participant, from which it listens and dials, and at
// which it may prove its id.

import { type Backend, createTransport, type Transport } from '@trunkline/transport-core';
import { direct } from '@trunkline/transport-inmem';
import { raftProtocol as protocol, type RaftProtocol } from '../protocol.ts';
import type { DemoCredentials } from './credentials.ts';

/** Creates the network of a run, with that many places. */
export type MakeNetwork = (places: number) => Promise<Network>;

export interface Network {
  readonly places: readonly Place[];
  /** Set if ids are proven: a node of another network that tries to use this one. */
  readonly stranger?: Stranger | undefined;
  /** Set if something is to break while the nodes write. */
  readonly accident?: Accident | undefined;
  /** Ends what belongs to the network itself, after all places have closed. */
  close?(): Promise<void>;
}

export interface Accident {
  /** The text of the phase. */
  readonly phase: string;
  /** Lets it happen; resolves to a line that stays visible. */
  happen(): Promise<string>;
}

export interface Place {
  /**
   * Opens a listening transport, at a free address or at one that an earlier transport of this
   * place had.
   */
  open(addr?: string): Promise<Transport<RaftProtocol>>;
  /** Set if ids are proven. */
  readonly proof?: Proof | undefined;
}

export interface Proof {
  readonly nodeId: string;
  /**
   * Replaces the list of node ids that this place denies, at once: their connections are aborted.
   */
  deny(nodeIds: readonly string[]): void | Promise<void>;
}

export interface Stranger {
  readonly nodeId: string;
  /** Opens a transport that only dials. */
  open(): Transport<RaftProtocol>;
}

export const inMemory: MakeNetwork = async (places) => {
  const net = direct();
  net.connectAll();
  let opened = 0;
  const open = (addr?: string) => opener(`inmem://memory-${++opened}`, net)(addr);
  return { places: Array.from({ length: places }, () => ({ open })) };
};

/** A network without proofs of identity. `anywhere` is the address on which a new place listens. */
export function plain(anywhere: string, backend: () => Backend): MakeNetwork {
  return async (places) => ({
    places: Array.from({ length: places }, () => ({ open: opener(anywhere, backend()) })),
  });
}

/** A network in which every node proves its id, with credentials that are passed to the backend. */
export function secure<P extends { readonly nodeId: string }>(
  anywhere: string,
  issue: (count: number) => Promise<DemoCredentials<P>>,
  backend: (credentials: P) => SecureBackend,
): MakeNetwork {
  return async (count) => {
    const { members, stranger } = await issue(count);
    const places = members.map((credentials) => {
      const secured = backend(credentials);
      const deny = (nodeIds: readonly string[]) =>
        'updateTls' in secured
          ? secured.updateTls({ deny: nodeIds })
          : secured.updatePeers({ deny: nodeIds });
      return { open: opener(anywhere, secured), proof: { nodeId: credentials.nodeId, deny } };
    });
    const open = () => createTransport({ ...patient, protocol, backends: [backend(stranger)] });
    return { places, stranger: { nodeId: stranger.nodeId, open } };
  };
}

/**
 * A backend whose lists can be changed while it runs: `tcp({ tls })`, `ws({ tls })`, `secured(…)`.
 */
type SecureBackend = Backend &
  (
    | { updateTls(update: { deny: readonly string[] }): Promise<void> }
    | { updatePeers(update: { deny: readonly string[] }): void }
  );

/** Returns a function that opens transports on one backend, by default at `anywhere`. */
export function opener(anywhere: string, backend: Backend): Place['open'] {
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

/**
 * Timeouts in milliseconds. Urgent calls have timeouts of their own; everything else may be slow on
 * a busy machine.
 */
const patient = { dialTimeout: 15_000, handshakeTimeout: 15_000 };
