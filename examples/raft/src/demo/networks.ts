// The networks of the demo: a place for each participant, from which it listens and dials, and at
// which it may prove its id. This is the only part of the demo that tells backends apart.

import { startNatsCluster, startNatsServer } from '@trunkline/local-nats';
import { type Authority, createAuthority, createIdentity } from '@trunkline/security';
import { secured } from '@trunkline/security/noise';
import { type Backend, createTransport, type Transport } from '@trunkline/transport-core';
import { direct } from '@trunkline/transport-inmem';
import { nats } from '@trunkline/transport-nats';
import { tcp } from '@trunkline/transport-tcp';
import { createMemorySignaling, webrtc } from '@trunkline/transport-webrtc';
import { ws } from '@trunkline/transport-ws';
import { raftProtocol as protocol, type RaftProtocol } from '../messages.ts';

/** Creates the network of a run, with that many places. */
export type MakeNetwork = (places: number) => Network | Promise<Network>;

export interface Network {
  /** The last place is that of the clients. */
  readonly places: readonly Place[];
  /** Set if ids are proven: a place whose id the others do not accept. */
  readonly stranger?: Place | undefined;
  /** Breaks something while the nodes write; resolves to a line about it. */
  readonly accident?: (() => Promise<string>) | undefined;
  /** Resolves when all nodes are connected. By default, each node dials all others. */
  meet?(seats: readonly Seat[]): Promise<unknown>;
  /** Ends what belongs to the network itself, after all places have closed. */
  close?(): Promise<unknown>;
}

export interface Place {
  /** Opens a listening transport, at a free address or at one that this place had before. */
  open(addr?: string): Promise<Seat>;
  /** The id that this place proves, if ids are proven. */
  readonly nodeId?: string;
  /** Denies these node ids instead of those before, at once: their connections are aborted. */
  deny?(nodeIds: readonly string[]): void | Promise<void>;
}

/** A place in use. */
export interface Seat {
  readonly addr: string;
  /** The target by which the others reach it: the address, or the id and the address, or the id. */
  readonly target: string;
  readonly transport: Transport<RaftProtocol>;
  /** Closes the transport and everything that belongs to it. */
  close(): Promise<void>;
}

/** A network without proofs of identity. `anywhere` is the address on which a new place listens. */
function plain(anywhere: string, backend: () => Backend): MakeNetwork {
  return (places) => ({
    places: Array.from({ length: places }, () => ({ open: opener(anywhere, backend()) })),
  });
}

const inMemory: MakeNetwork = (places) => {
  const net = direct();
  net.connectAll();
  let opened = 0;
  const open = (addr?: string) => opener(`inmem://memory-${++opened}`, net)(addr);
  return { places: Array.from({ length: places }, () => ({ open })) };
};

const overWebRtc: MakeNetwork = (places) => {
  const signaling = createMemorySignaling();
  const backend = () => {
    const identity = createIdentity();
    return webrtc({ signal: signaling.signal(identity.nodeId), identity });
  };
  return plain('webrtc://0', backend)(places);
};

/**
 * A network in which every node proves its id. `issue` creates the credentials of the members and,
 * at the end, those of a stranger.
 */
export function secure<C extends { readonly nodeId: string }>(
  anywhere: string,
  issue: (members: number) => Promise<readonly C[]>,
  backendOf: (credentials: C) => SecureBackend,
): MakeNetwork {
  return async (count) => {
    const places = (await issue(count)).map((credentials) => {
      const backend = backendOf(credentials);
      const deny = (nodeIds: readonly string[]) =>
        'updateTls' in backend
          ? backend.updateTls({ deny: nodeIds })
          : backend.updatePeers({ deny: nodeIds });
      const { nodeId } = credentials;
      return { open: opener(anywhere, backend, nodeId), nodeId, deny };
    });
    return { places: places.slice(0, count), stranger: places[count] };
  };
}

/** A backend whose lists can be changed while it runs. */
type SecureBackend = Backend &
  (
    | { updateTls(update: { deny: readonly string[] }): Promise<void> }
    | { updatePeers(update: { deny: readonly string[] }): void }
  );

/** Creates an identity, and certifies it for nodes that trust the authority `ca`. */
export async function certify(authority: Authority, ca = authority.cert) {
  const identity = createIdentity();
  const cert = await authority.issue(identity);
  return { nodeId: identity.nodeId, tls: { key: identity.key, cert, ca } };
}

/** Creates certificates of one authority for the members, and of another one for the stranger. */
async function certified(members: number) {
  const [authority, other] = [await createAuthority(), await createAuthority()];
  const issued = Array.from({ length: members }, () => certify(authority));
  return Promise.all([...issued, certify(other, authority.cert)]);
}

/** Creates identities. Each member has a list of all members; the stranger is in none. */
async function listed(members: number) {
  const identities = Array.from({ length: members + 1 }, () => createIdentity());
  const allow = identities.slice(0, members).map(({ nodeId }) => nodeId);
  return identities.map((identity, i) => ({
    nodeId: identity.nodeId,
    identity,
    allow: i < members ? allow : undefined,
  }));
}

/** A network over NATS servers. Of a cluster, one is killed while the nodes write. */
function overNats(count: number): MakeNetwork {
  return async (places) => {
    const servers = count === 1 ? [await startNatsServer()] : await startNatsCluster(count);
    const addresses = servers.map(({ address }) => address);
    const accident = async () => {
      await servers[0]!.kill();
      return `server    nats://${addresses[0]} was killed`;
    };
    return {
      // Each node connects to any of the servers.
      places: Array.from({ length: places }, (_, place) => ({
        open: opener(`nats://broker/raft-${place + 1}`, nats({ servers: addresses })),
      })),
      close: () => Promise.all(servers.map((server) => server.kill())),
      accident: count === 1 ? undefined : accident,
    };
  };
}

/** Returns a function that opens transports on one backend, by default at `anywhere`. */
export function opener(anywhere: string, backend: Backend, nodeId?: string): Place['open'] {
  return (addr = anywhere) =>
    seatOn(createTransport(addr, { ...PATIENT, protocol, backends: [backend] }), nodeId);
}

/** Lets a transport listen. `nodeId` is the id that it proves. */
export async function seatOn(transport: Transport<RaftProtocol>, nodeId?: string): Promise<Seat> {
  const close = () => transport.close();
  try {
    await transport.listen();
  } catch (error) {
    await close();
    throw error;
  }
  const addr = transport.advertiseAddr();
  return { addr, target: nodeId === undefined ? addr : `${nodeId}@${addr}`, transport, close };
}

/**
 * Timeouts in milliseconds. Urgent calls have timeouts of their own; everything else may be slow on
 * a busy machine.
 */
const PATIENT = { dialTimeout: 15_000, handshakeTimeout: 15_000 };

export const NETWORKS: Readonly<Record<string, MakeNetwork>> = {
  inmem: inMemory,
  tcp: plain('tcp://127.0.0.1:0', () => tcp()),
  ws: plain('ws://127.0.0.1:0', () => ws()),
  tls: secure('tcp://127.0.0.1:0', certified, ({ tls }) => tcp({ tls })),
  wss: secure('wss://127.0.0.1:0', certified, ({ tls }) => ws({ tls })),
  noise: secure('tcp://127.0.0.1:0', listed, ({ identity, allow }) =>
    secured(tcp(), { identity, allow }),
  ),
  webrtc: overWebRtc,
  nats: overNats(1),
  'nats-cluster': overNats(3),
};
