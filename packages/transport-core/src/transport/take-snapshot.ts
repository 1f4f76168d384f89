// Collects the state of a transport as plain data.

import type { Connection } from '../stream/connection.ts';
import { VERSION } from '../version.ts';
import type { TransportEngine } from './engine.ts';
import type { ConnectionSnapshot, LimitsSnapshot, TransportSnapshot } from './snapshot.ts';

/** Returns a snapshot of an engine. */
export function takeSnapshot(engine: TransportEngine): TransportSnapshot {
  const { config, layer } = engine;
  const { certificate } = layer;
  const at = engine.clock.now();
  return {
    at,
    state: engine.state,
    draining: engine.isDraining,
    version: VERSION,
    name: config.name ?? certificate?.name,
    certificateEnd: certificate?.end,
    network: config.network,
    localAddrs: engine.listening ? (layer.localAddrs?.() ?? [layer.localAddr()]) : [],
    protocols: [...engine.mounts.values()].map(({ protocol: { name, version, channel } }) => ({
      name,
      version,
      channel,
    })),
    connections: [...engine.connections].map((connection) => ofConnection(connection, at)),
    dialing: engine.pool.dialing,
    names: engine.names.snapshot,
    memory: engine.memory.used,
    incoming: { calls: engine.memory.calls, bytes: engine.memory.bytes },
    handshakes: engine.acceptor.handshaking,
    limits: ofLimits(engine),
    bytes: engine.bytes,
    waiting: [...engine.mounts.values()].reduce((sum, mount) => sum + mount.inbox.waiting, 0),
    calls: { made: engine.order.made, served: engine.served },
    errors: Object.fromEntries(engine.dispatcher.errors),
    counters: Object.fromEntries(engine.dispatcher.counters),
  };
}

function ofLimits({ config, memory }: TransportEngine): LimitsSnapshot {
  const { connections, handshakes, total, calls, streams, inbound, outbound } = config.limits;
  return {
    memory: memory.limit,
    connections,
    handshakes: handshakes.pending,
    total,
    calls,
    streams,
    inbound,
    outbound,
  };
}

function ofConnection(connection: Connection, at: number): ConnectionSnapshot {
  const { remote, state } = connection;
  return {
    id: connection.id,
    endpoint: connection.endpoint,
    direction: connection.direction,
    state: state === 'closed' ? 'closing' : state,
    addr: remote?.addr,
    nodeId: remote?.nodeId,
    name: remote?.hello['name'],
    instance: remote?.instance ?? '',
    rtt: connection.rtt,
    age: at - connection.since,
    // The counts may start at -0, which makes V8 keep them as doubles; adding 0 turns -0 into 0.
    bytes: { in: connection.bytesIn + 0, out: connection.bytesOut + 0 },
    ...connection.figures.counts,
  };
}
