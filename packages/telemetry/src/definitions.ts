// The metrics that are collected, with their names, units and descriptions.

/** The properties of a metric that do not change. */
export interface MetricDefinition {
  /** The name as OpenTelemetry writes it, for example `rpc.client.call.duration`. */
  readonly name: string;
  /**
   * - `counter`: a sum that only grows.
   * - `gauge`: a value that cannot be added up, for example a round-trip time.
   * - `level`: a value that goes up and down and can be added up, for example open connections.
   * - `histogram`: a distribution of values.
   */
  readonly type: 'counter' | 'gauge' | 'level' | 'histogram';
  /** The unit in the notation of UCUM: `s`, `By`, or a noun in braces. */
  readonly unit: string;
  readonly description: string;
}

const define = (
  name: string,
  type: MetricDefinition['type'],
  unit: string,
  description: string,
): MetricDefinition => ({ name, type, unit, description });

/**
 * All metrics, by short names. The names are also in alerts.yml, grafana-dashboard.json and
 * docs/metrics-reference.md.
 */
export const METRICS = {
  clientDuration: define(
    'rpc.client.call.duration',
    'histogram',
    's',
    'Duration of calls made by this node.',
  ),
  serverDuration: define(
    'rpc.server.call.duration',
    'histogram',
    's',
    'Duration of calls handled by this node.',
  ),
  clientActive: define(
    'trunkline.client.call.active',
    'level',
    '{call}',
    'Calls made by this node that have not ended.',
  ),
  serverActive: define(
    'trunkline.server.call.active',
    'level',
    '{call}',
    'Calls that handlers of this node have not ended.',
  ),
  attempts: define(
    'trunkline.client.call.attempts',
    'counter',
    '{attempt}',
    'Requests that were written to a connection, including those sent again.',
  ),
  queued: define(
    'trunkline.client.call.queued',
    'histogram',
    's',
    'Time that calls waited until their request was written to a connection.',
  ),
  refused: define(
    'trunkline.server.call.refused',
    'counter',
    '{call}',
    'Calls that this node refused: over a limit, without a matching method, or while closing.',
  ),
  onewaysDropped: define(
    'trunkline.oneway.dropped',
    'counter',
    '{message}',
    'One-ways that this node dropped, or lost with a connection.',
  ),
  connections: define('trunkline.connection.count', 'level', '{connection}', 'Connections.'),
  closed: define(
    'trunkline.connection.closed',
    'counter',
    '{connection}',
    'Connections that were up and have ended.',
  ),
  rtt: define(
    'trunkline.connection.rtt',
    'gauge',
    's',
    'Last measured round-trip time: minimum, median and maximum of all connections.',
  ),
  dials: define(
    'trunkline.dial.duration',
    'histogram',
    's',
    'Duration of dials, including the handshake.',
  ),
  handshakes: define('trunkline.handshake.duration', 'histogram', 's', 'Duration of handshakes.'),
  io: define('trunkline.io', 'counter', 'By', 'Bytes on all connections.'),
  streams: define('trunkline.stream.active', 'level', '{stream}', 'Calls that stream.'),
  blocked: define(
    'trunkline.stream.blocked',
    'level',
    '{stream}',
    'Streams whose next item waits for credit of the peer.',
  ),
  queueMessages: define(
    'trunkline.queue.messages',
    'level',
    '{message}',
    'Messages in the queues of all connections.',
  ),
  queueSize: define(
    'trunkline.queue.size',
    'level',
    'By',
    'Bytes of messages in the queues of all connections.',
  ),
  memory: define('trunkline.memory.usage', 'level', 'By', 'Bytes of messages that are held.'),
  memoryLimit: define('trunkline.memory.limit', 'level', 'By', 'The value of limits.memory.'),
  peers: define('trunkline.peer.count', 'level', '{peer}', 'Connected peers.'),
  rejected: define(
    'trunkline.peer.rejected',
    'counter',
    '{connection}',
    'Connections that ended before they were up.',
  ),
  gossipMessages: define(
    'trunkline.gossip.messages',
    'counter',
    '{message}',
    'Messages of gossip: published, delivered, received again, and dropped.',
  ),
  hops: define(
    'trunkline.gossip.hops',
    'histogram',
    '{hop}',
    'Connections that delivered messages have crossed.',
  ),
  deliveries: define(
    'trunkline.gossip.delivery.duration',
    'histogram',
    's',
    'Time until a published message was handed to the peers that are known to want it, or (with min) until as many have confirmed it.',
  ),
  neighbors: define(
    'trunkline.gossip.neighbors',
    'level',
    '{peer}',
    'Neighbors on all topics of gossip, added up.',
  ),
  topics: define('trunkline.gossip.topics', 'level', '{topic}', 'Open topics of gossip.'),
  target: define(
    'target.info',
    'gauge',
    '1',
    'The node: its name and the version of its transport. The value is always 1.',
  ),
  draining: define(
    'trunkline.transport.draining',
    'level',
    '{transport}',
    'Transports that were taken out of service with drain and are not closed yet.',
  ),
  certificate: define(
    'trunkline.certificate.expiration.timestamp',
    'gauge',
    's',
    'Time since 1970 at which the first certificate of this node expires.',
  ),
  listenersFailed: define(
    'trunkline.listener.failed',
    'counter',
    '{failure}',
    'Failures of listeners, after each of which the node tries to listen again.',
  ),
  brokerEvents: define(
    'trunkline.broker.events',
    'counter',
    '{event}',
    'Connections to the servers of a broker, such as NATS, that were made or lost.',
  ),
  balancerAddresses: define(
    'trunkline.balancer.address.count',
    'level',
    '{address}',
    'Addresses of a name, by whether they get calls.',
  ),
  balancerEvents: define(
    'trunkline.balancer.address.events',
    'counter',
    '{event}',
    'Changes of addresses: added, removed, down, up, ejected as outliers, and returned.',
  ),
  balancerWaiting: define(
    'trunkline.balancer.call.waiting',
    'level',
    '{call}',
    'Calls that wait for the first list of addresses.',
  ),
  retryAttempts: define(
    'trunkline.retry.attempts',
    'counter',
    '{attempt}',
    'Further attempts of calls: after a failure, or while another attempt was pending.',
  ),
  retryRefused: define(
    'trunkline.retry.refused',
    'counter',
    '{call}',
    'Calls that were not repeated because too many calls failed, or because the server asked so.',
  ),
  circuits: define('trunkline.circuit.count', 'level', '{circuit}', 'Circuits of the breaker.'),
  circuitsOpened: define(
    'trunkline.circuit.opened',
    'counter',
    '{circuit}',
    'How often a circuit has opened, because most calls to its target failed.',
  ),
  circuitsRefused: define(
    'trunkline.circuit.refused',
    'counter',
    '{call}',
    'Calls that a circuit refused unsent.',
  ),
  admissionLimit: define(
    'trunkline.admission.limit',
    'level',
    '{call}',
    'Calls that may run at a time, as measured.',
  ),
  admissionActive: define(
    'trunkline.admission.active',
    'level',
    '{call}',
    'Calls that were admitted and have not ended.',
  ),
  admissionWaiting: define(
    'trunkline.admission.waiting',
    'level',
    '{call}',
    'Calls that wait for admission.',
  ),
  admissionCalls: define(
    'trunkline.admission.calls',
    'counter',
    '{call}',
    'Calls that were admitted, or refused because of overload.',
  ),
  resumptionStreams: define(
    'trunkline.resumption.stream.count',
    'level',
    '{stream}',
    'Streams that are kept for clients that may continue them.',
  ),
  resumptionSize: define(
    'trunkline.resumption.size',
    'level',
    'By',
    'Bytes of items that are kept for streams.',
  ),
  resumptionCalls: define(
    'trunkline.resumption.calls',
    'counter',
    '{call}',
    'Calls that opened or resumed a stream, or failed to.',
  ),
} as const satisfies Record<string, MetricDefinition>;
