// Takes the state of a node, and the differences between states. All watchers share the results.

import type { Metrics } from '@trunkline/telemetry';
import { cleanText } from '@trunkline/transport-core/backend';
import { callStatistics } from './call-statistics.ts';
import type { ErrorLog } from './error-log.ts';
import { createPatch, type JsonObject, type Patch, toJson } from './merge-patch.ts';
import type { NodePeerState, NodeState, NodeTopicState } from './node-state.ts';
import type { AdminSources, PeerSource, TopicSource } from './sources.ts';
import { inParts } from './split-patch.ts';

/** Takes the state of one node. */
export class Sampler {
  readonly #sources: AdminSources;
  readonly #metrics: Metrics;
  readonly #errors: ErrorLog;
  readonly #readonly: boolean;
  #last: { readonly at: number; readonly state: JsonObject } | undefined;
  readonly #parts = new WeakMap<Patch, readonly { more: boolean; patch: Patch }[]>();
  #patch: { from: JsonObject; to: JsonObject; patch: Patch | undefined } | undefined;

  constructor(sources: AdminSources, metrics: Metrics, errors: ErrorLog, readonly: boolean) {
    this.#sources = sources;
    this.#metrics = metrics;
    this.#errors = errors;
    this.#readonly = readonly;
  }

  /** Returns the state as JSON: a new one, unless the last one is less than 100 ms old. */
  sample(): JsonObject {
    const at = this.#sources.transport.clock.now();
    if (this.#last !== undefined && at - this.#last.at < FRESH) return this.#last.state;
    const state = toJson(this.#take()) as JsonObject;
    this.#last = { at, state };
    return state;
  }

  /** Returns the difference between two states; undefined if only their times differ. */
  difference(from: JsonObject, to: JsonObject): Patch | undefined {
    if (this.#patch?.from !== from || this.#patch.to !== to) {
      const patch = createPatch(from, to);
      const isSame = patch === undefined || Object.keys(patch).every((key) => key === 'at');
      this.#patch = { from, to, patch: isSame ? undefined : patch };
    }
    return this.#patch.patch;
  }

  /** Returns the items of a stream that carry a difference. */
  parts(patch: Patch): readonly { readonly more: boolean; readonly patch: Patch }[] {
    let parts = this.#parts.get(patch);
    if (parts === undefined) {
      parts = [...inParts(patch)];
      this.#parts.set(patch, parts);
    }
    return parts;
  }

  #take(): NodeState {
    const { transport, peers, gossip, log } = this.#sources;
    const snapshot = transport.snapshot();
    const omitted: Record<string, number> = {};
    const limited = <T>(name: string, list: readonly T[]): readonly T[] => {
      if (list.length > MOST) omitted[name] = list.length - MOST;
      return list.slice(0, MOST);
    };
    const node: NodeState['node'] = {
      state: snapshot.state,
      draining: snapshot.draining,
      readonly: this.#readonly,
      network: snapshot.network,
      version: snapshot.version,
      name: snapshot.name,
      certificateEnd: snapshot.certificateEnd,
      addresses: snapshot.localAddrs,
      protocols: Object.fromEntries(
        snapshot.protocols.map(({ name, version, channel }) => [name, { version, channel }]),
      ),
      nodeId: peers?.nodeId,
      logLevel: log?.level,
    };
    const totals: NodeState['totals'] = {
      received: snapshot.bytes.in,
      sent: snapshot.bytes.out,
      memory: snapshot.memory,
      incoming: snapshot.incoming,
      handshakes: snapshot.handshakes,
      waiting: snapshot.waiting,
      made: snapshot.calls.made,
      served: snapshot.calls.served,
      failed: snapshot.errors,
      counters: snapshot.counters,
      dialing: snapshot.dialing.slice(0, MOST_DIALING),
    };
    const connections = limited('connections', snapshot.connections).map(
      ({ id, age, name, ...rest }) =>
        [
          id,
          {
            ...rest,
            name: name && cleanText(name).slice(0, LONGEST_NAME),
            since: Math.round(snapshot.at - age),
          },
        ] as const,
    );
    return {
      at: snapshot.at,
      node,
      totals,
      limits: snapshot.limits,
      connections: Object.fromEntries(connections),
      calls: callStatistics(this.#metrics),
      errors: this.#errors.state(),
      peers: peers && Object.fromEntries(limited('peers', peers.list()).map(peerState)),
      topics:
        gossip && Object.fromEntries(limited('topics', gossip.snapshot().topics).map(topicState)),
      omitted: Object.keys(omitted).length === 0 ? undefined : omitted,
    };
  }
}

function peerState({
  nodeId,
  proven,
  persistent,
  direction,
  score,
  instance,
  addr,
  rtt,
  status,
  remote,
}: PeerSource): [string, NodePeerState] {
  const connection = remote.id;
  return [
    nodeId,
    { proven, persistent, direction, score, instance, connection, addr, rtt, status },
  ];
}

function topicState({ key, readers, ...topic }: TopicSource): [string, NodeTopicState] {
  const sum = (name: 'waiting' | 'bytes' | 'missed') =>
    readers.reduce((total, reader) => total + reader[name], 0);
  const { topic: name, overlay, life, neighbors, interested } = topic;
  const { published, delivered, duplicates, dropped, details } = topic;
  const queues = { waiting: sum('waiting'), bytes: sum('bytes'), missed: sum('missed') };
  return [
    key,
    {
      ...{ topic: name, overlay, life, neighbors, interested },
      ...{ published, delivered, duplicates, dropped, ...queues, details },
    },
  ];
}

/** Time for which watchers share one state before a new one is taken, in milliseconds. */
const FRESH = 100;
/** Maximum number of connections, of peers and of topics. */
const MOST = 2_000;
const MOST_DIALING = 100;
/** The length to which the name of a peer, which may be long, is cut. */
const LONGEST_NAME = 300;
