// The network of a run over NATS servers, which start and end with it. Of a cluster, one server is
// killed while the nodes write.

import { type NatsServer, startNatsCluster, startNatsServer } from '@trunkline/local-nats';
import { nats } from '@trunkline/transport-nats';
import { type MakeNetwork, opener } from './network.ts';

/** @param servers 1 for a single server, otherwise the size of the cluster */
export function overNats(servers: number): MakeNetwork {
  return async (places) => {
    const cluster: NatsServer[] =
      servers === 1 ? [await startNatsServer()] : await startNatsCluster(servers);
    const addresses = cluster.map(({ address }) => address);
    // Each node connects to any of the servers.
    const open = (place: number) =>
      opener(`nats://broker/raft-${place + 1}`, nats({ servers: addresses }));
    return {
      places: Array.from({ length: places }, (_, place) => ({ open: open(place) })),
      close: async () => void (await Promise.all(cluster.map((server) => server.kill()))),
      ...(servers === 1
        ? {}
        : {
            accident: {
              phase: `one of ${servers} NATS servers is killed`,
              happen: async () => {
                await cluster[0]!.kill();
                return `server    nats://${cluster[0]!.address} was killed`;
              },
            },
          }),
    };
  };
}
