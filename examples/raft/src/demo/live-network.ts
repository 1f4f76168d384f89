// The network of the live demo: TCP with TLS, and nodes that tools can look at and call.

import { createAdmin } from '@trunkline/admin';
import { serveReflection } from '@trunkline/admin/reflection';
import { serveHealth } from '@trunkline/resilience/health';
import {
  createTransport,
  type Handlers,
  type ServerInterceptor,
  serve,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import type { KvClient } from '../client.ts';
import { raftProtocol as protocol, type RaftProtocol } from '../protocol.ts';
import type { Certified } from './credentials.ts';
import type { Network } from './network.ts';
import { storeProtocol } from './store-protocol.ts';

/** The parts of the live demo that its nodes use. */
export interface LiveSetup {
  /** Those of the members. */
  readonly credentials: readonly Certified[];
  /** Returns true for a node that may use the administration and reflection of the others. */
  readonly mayLook: (nodeId: string | undefined) => boolean;
  /** Returns true for a node that may call the protocol of Raft. */
  readonly mayReplicate: (nodeId: string | undefined) => boolean;
  /** Runs a command on the store; commands run one after the other. */
  readonly execute: <T>(command: (client: KvClient) => Promise<T>) => Promise<T>;
}

/** Creates the network. Each place is that of one node id. */
export function liveNetwork(setup: LiveSetup): Network {
  const { credentials, mayLook, mayReplicate, execute } = setup;
  const allow = ({ nodeId }: { readonly nodeId?: string | undefined }) => mayLook(nodeId);
  const interceptors = { server: [onlyReplicas(mayReplicate)] };
  const open = async (
    { tls }: Certified,
    address = 'tcp://127.0.0.1:0',
  ): Promise<Transport<RaftProtocol>> => {
    const admin = createAdmin({ allow, readonly: false });
    const { observer } = admin;
    const backends = [tcp({ tls })];
    const transport = createTransport(address, { protocol, backends, observer, interceptors });
    try {
      const store: Handlers<typeof storeProtocol> = {
        get: async ({ key }) => ({ value: await execute((client) => client.get(key)) }),
        set: async ({ key, value }) => {
          await execute((client) => client.set(key, value));
          return {};
        },
      };
      serve(transport.mount(storeProtocol), store, { toError: forwarded });
      serveReflection(transport, { allow });
      serveHealth(transport);
      admin.serve({ transport });
      await transport.listen();
      return transport;
    } catch (error) {
      await transport.close();
      throw error;
    }
  };
  return {
    places: credentials.map((each) => ({
      open: (address) => open(each, address),
      proof: { nodeId: each.nodeId, deny: () => {} },
    })),
  };
}

/** Keeps the code of a call that a command made; its text would show the address of a node. */
function forwarded(error: unknown): TransportError {
  return error instanceof TransportError && error.target !== undefined
    ? new TransportError(error.code, 'the cluster has not executed the command')
    : (error as TransportError);
}

/** Refuses calls of Raft's protocol, which could change the log, by nodes that are no replicas. */
function onlyReplicas(mayReplicate: LiveSetup['mayReplicate']): ServerInterceptor {
  return (next) => (call) => {
    if (call.protocol === protocol.name && !mayReplicate(call.from.nodeId))
      throw new TransportError(
        'permission_denied',
        `only members of the cluster may call '${call.protocol}'; call 'store' instead`,
        { reason: 'denied' },
      );
    return next(call);
  };
}
