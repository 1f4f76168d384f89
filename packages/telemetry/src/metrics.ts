// Metrics of one node: an observer counts and times calls, sources provide snapshots, and `collect`
// combines both.

import {
  type CallRecord,
  type ErrorCode,
  type Observer,
  type ObserverEvent,
  TransportError,
} from '@trunkline/transport-core';
import {
  type DeliveryRecord,
  type DialRecord,
  type HandshakeRecord,
  type PublishRecord,
  refuseUnknown,
  type TransportCounter,
} from '@trunkline/transport-core/backend';
import { CallMetrics } from './call-metrics.ts';
import { Collection, type Metric } from './collection.ts';
import { METRICS, type MetricDefinition } from './definitions.ts';
import { LabeledCounter, LabeledHistogram } from './labeled.ts';
import type { MetricSources } from './source-types.ts';
import { Sources } from './sources.ts';

/** Options of {@link createMetrics}; all are optional. */
export interface MetricsOptions {
  /**
   * The upper bounds of the buckets of durations, in seconds: 1 to 100 ascending numbers. Default:
   * from 0.5 ms to 10 s, in steps as OpenTelemetry recommends them for calls.
   */
  readonly bounds?: readonly number[] | undefined;
  /**
   * The maximum number of methods that are counted by name, for each side. Calls of further methods
   * are counted under the name `_OTHER`. Default 1,000.
   */
  readonly methods?: number | undefined;
  /**
   * True to label the metrics of gossip with the name of the topic. Use it only if there are few
   * topics. Further topics after the first 100 are counted as `_OTHER`. Default false.
   */
  readonly topics?: boolean | undefined;
}

/** The metrics of a node. Exporters read them with `collect`. */
export interface Metrics {
  /** Pass it as the `observer` of each transport of the node. */
  readonly observer: Observer;
  /** The metrics that `collect` returns, without points. */
  readonly definitions: readonly MetricDefinition[];
  /**
   * Adds the state of a transport, and of other parts of the node, to each collection. Call it
   * again for a second part of a kind. Returns a function that removes the parts again; counters
   * keep what was counted. The first collection after the transport has closed removes it together
   * with the other parts of the same call. Throws a TypeError for an unknown part.
   */
  watch(sources: MetricSources): () => void;
  /** Returns all metrics at this moment. Takes snapshots of all watched parts. */
  collect(): readonly Metric[];
}

/**
 * Creates the metrics of a node.
 *
 * @throws TypeError for an invalid option.
 */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  refuseUnknown(options, 'createMetrics', ['bounds', 'methods', 'topics']);
  return new NodeMetrics(options);
}

class NodeMetrics implements Metrics {
  readonly definitions = Object.values(METRICS);
  readonly observer: Observer;
  readonly #recorder: Recorder;
  readonly #sources: Sources;

  constructor({ bounds = DURATIONS, methods = 1_000, topics = false }: MetricsOptions) {
    checkBounds(bounds);
    if (!Number.isSafeInteger(methods) || methods < 0)
      throw new TypeError(`createMetrics: methods must be a number of methods, not ${methods}`);
    this.#recorder = new Recorder(bounds, methods, topics);
    this.#sources = new Sources((topic) => this.#recorder.topic(topic));
    this.observer = this.#recorder;
  }

  watch(sources: MetricSources): () => void {
    refuseUnknown(sources, 'metrics.watch', SOURCES);
    return this.#sources.add(sources);
  }

  collect(): readonly Metric[] {
    const collection = new Collection(this.definitions);
    this.#recorder.collect(collection);
    this.#sources.collect(collection);
    return collection.metrics();
  }
}

/** Counts and times what a transport reports. */
class Recorder implements Observer {
  readonly #client: CallMetrics;
  readonly #server: CallMetrics;
  readonly #refused = new LabeledCounter(METRICS.refused, '');
  readonly #dropped = new LabeledCounter(METRICS.onewaysDropped, 'reason');
  readonly #closed = new LabeledCounter(METRICS.closed, 'reason');
  readonly #rejected = new LabeledCounter(METRICS.rejected, 'direction', 'error.type');
  readonly #listeners = new LabeledCounter(METRICS.listenersFailed, '');
  readonly #brokers = new LabeledCounter(METRICS.brokerEvents, 'event');
  readonly #dials: LabeledHistogram;
  readonly #handshakes: LabeledHistogram;
  readonly #messages = new LabeledCounter(METRICS.gossipMessages, 'outcome', 'topic');
  readonly #hops = new LabeledHistogram(METRICS.hops, HOPS, 'topic');
  readonly #deliveries: LabeledHistogram;
  readonly #topics: Set<string> | undefined;

  constructor(bounds: readonly number[], methods: number, topics: boolean) {
    this.#client = new CallMetrics(bounds, methods);
    this.#server = new CallMetrics(bounds, methods);
    this.#dials = new LabeledHistogram(METRICS.dials, bounds, 'error.type');
    this.#handshakes = new LabeledHistogram(METRICS.handshakes, bounds, 'direction', 'error.type');
    this.#deliveries = new LabeledHistogram(METRICS.deliveries, bounds, 'topic', 'error.type');
    this.#topics = topics ? new Set() : undefined;
    // Counters are exported even at 0, so that a query finds them before the first failure.
    this.#refused.add(0, undefined);
    this.#listeners.add(0, undefined);
    for (const reason of ['dropped', 'lost']) this.#dropped.add(0, reason);
  }

  callStarted(call: CallRecord): void {
    this.#client.started(call);
  }

  callEnded(call: CallRecord): void {
    this.#client.ended(call);
    this.#client.written(call);
  }

  handlerStarted(call: CallRecord): void {
    this.#server.started(call);
  }

  handlerEnded(call: CallRecord): void {
    this.#server.ended(call);
  }

  event(event: ObserverEvent): void {
    if (event.type === 'down') this.#closed.add(1, event.cause?.reason ?? event.cause?.code);
    if (event.type === 'rejected') this.#rejected.add(1, event.direction, event.error.code);
    if (event.type === 'listenFailed') this.#listeners.add(1, undefined);
    if (event.type !== 'broker') return;
    for (const state of ['connected', 'lost'])
      this.#brokers.add(state === event.state ? 1 : 0, state);
  }

  count(counter: TransportCounter, amount: number): void {
    if (counter === 'refusedCall') this.#refused.add(amount, undefined);
    if (counter === 'onewayDropped') this.#dropped.add(amount, 'dropped');
    if (counter === 'onewayLost') this.#dropped.add(amount, 'lost');
  }

  dialEnded({ duration, error }: DialRecord): void {
    this.#dials.record(duration / 1_000, error?.code);
  }

  handshakeEnded({ duration, direction, error }: HandshakeRecord): void {
    this.#handshakes.record(duration / 1_000, direction, error?.code);
  }

  publishEnded({ topic, duration, error }: PublishRecord): void {
    const label = this.topic(topic);
    this.#deliveries.record(duration / 1_000, label, error === undefined ? error : codeOf(error));
    if (error === undefined) this.#messages.add(1, 'published', label);
  }

  delivered({ topic, hops }: DeliveryRecord): void {
    const label = this.topic(topic);
    this.#messages.add(1, 'delivered', label);
    this.#hops.record(hops, label);
  }

  /**
   * Returns the label for a topic: undefined unless metrics are labeled with topics, and `_OTHER`
   * after the first 100. Sources uses it, too, so that both label a topic equally.
   */
  topic(name: string): string | undefined {
    const topics = this.#topics;
    if (topics === undefined || topics.has(name)) return topics && name;
    if (topics.size >= MOST_TOPICS) return '_OTHER';
    topics.add(name);
    return name;
  }

  collect(into: Collection): void {
    this.#client.collect(into, 'client');
    this.#server.collect(into, 'server');
    for (const part of [
      this.#refused,
      this.#dropped,
      this.#closed,
      this.#rejected,
      this.#listeners,
      this.#brokers,
      this.#dials,
      this.#handshakes,
      this.#messages,
      this.#hops,
      this.#deliveries,
    ])
      part.collect(into);
  }
}

function codeOf(error: unknown): ErrorCode {
  return error instanceof TransportError ? error.code : 'unknown';
}

function checkBounds(bounds: readonly number[]): void {
  const isAscending = bounds.every(
    (bound, i) => Number.isFinite(bound) && (i === 0 || bound > bounds[i - 1]!),
  );
  if (bounds.length === 0 || bounds.length > 100 || !isAscending)
    throw new TypeError('createMetrics: bounds must be 1 to 100 ascending numbers of seconds');
}

/**
 * The bounds in seconds: those of OpenTelemetry for calls, and three lower ones for fast networks.
 */
const DURATIONS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];
const HOPS = [1, 2, 3, 4, 5, 6, 8, 10, 15, 20];
const MOST_TOPICS = 100;
const SOURCES = [
  'transport',
  'peers',
  'gossip',
  'balancer',
  'retries',
  'breaker',
  'admission',
  'concurrency',
  'resumable',
] as const satisfies readonly (keyof MetricSources)[];
