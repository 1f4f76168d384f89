// The network of the live demo: TCP with TLS, and nodes that tools can look at and call.

import { createAdmin } from '@trunkline/admin';
import { serveReflection } from '@trunkline/reflection';
import { createTransport, serve, serveHealth, type Transport } from '@trunkline/transport-core';
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
  /** Runs a command on the store; commands run one after the other. */
  readonly execute: <T>(command: (client: KvClient) => Promise<T>) => Promise<T>;
}

/** Creates the network. Each place is that of one node id. */
export function liveNetwork({ credentials, mayLook, execute }: LiveSetup): Network {
  const allow = ({ nodeId }: { readonly nodeId?: string | undefined }) => mayLook(nodeId);
  const open = async (
    { tls }: Certified,
    address = 'tcp://127.0.0.1:0',
  ): Promise<Transport<RaftProtocol>> => {
    const admin = createAdmin({ allow, readonly: false });
    const { observer } = admin;
    const transport = createTransport(address, { protocol, backends: [tcp({ tls })], observer });
    try {
      serve(transport.mount(storeProtocol), {
        get: async ({ key }) => ({ value: await execute((client) => client.get(key)) }),
        set: async ({ key, value }) => {
          await execute((client) => client.set(key, value));
          return {};
        },
      });
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
