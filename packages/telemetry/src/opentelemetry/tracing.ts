// Traces of calls and of messages of gossip.

import { type TracerProvider, trace } from '@opentelemetry/api';
import type { ClientInterceptor, Remote, ServerInterceptor } from '@trunkline/transport-core';
import { refuseUnknown } from '@trunkline/transport-core/backend';
import { type CallSpans, clientSpans, serverSpans } from './call-spans.ts';
import {
  consumeTraced,
  publishTraced,
  type TracedMeta,
  type TracedTopic,
} from './message-spans.ts';
import { PeerAttributes } from './span-attributes.ts';
import type { Traced } from './traced-codec.ts';

/** Options of {@link createTracing}; all are optional. */
export interface TracingOptions {
  /** The provider of the tracer. Default: the global one of `@opentelemetry/api`. */
  readonly tracerProvider?: TracerProvider | undefined;
  /**
   * True, or a function that returns true, to continue the trace of a caller. A trusted caller
   * decides whether the call is sampled. The span of any other call begins a new trace, which is
   * linked to the caller's trace. Default false.
   */
  readonly trustRemote?: boolean | ((remote: Remote) => boolean) | undefined;
  /** True to leave out addresses and node ids of peers. Default false. */
  readonly omitPeerAttributes?: boolean | undefined;
}

/** The traces of a node. */
export interface Tracing {
  /**
   * Pass these as the `interceptors` of each transport, or add them to your own lists of
   * interceptors.
   */
  readonly interceptors: {
    readonly client: readonly ClientInterceptor[];
    readonly server: readonly ServerInterceptor[];
  };
  /**
   * Publishes a message on a topic whose codec is `traced(…)`, in a PRODUCER span. Returns the
   * result of `topic.publish`, and rejects with its error.
   */
  publish<T, O, R>(topic: TracedTopic<T, O, R>, value: T, options?: O): Promise<R>;
  /**
   * Returns a function for `topic.subscribe` that handles each message in a CONSUMER span, which is
   * linked to the publisher's span. It returns or throws what `handle` does.
   */
  consumer<T, M extends TracedMeta, R>(
    topic: { readonly name: string },
    handle: (value: T, meta: M) => R,
  ): (message: Traced<T>, meta: M) => R;
}

/**
 * Creates the traces of a node.
 *
 * @throws TypeError for an unknown option.
 */
export function createTracing(options: TracingOptions = {}): Tracing {
  refuseUnknown(options, 'createTracing', ['tracerProvider', 'trustRemote', 'omitPeerAttributes']);
  const { tracerProvider = trace, trustRemote = false, omitPeerAttributes = false } = options;
  const tracer = tracerProvider.getTracer('@trunkline/telemetry/opentelemetry');
  const trusts = typeof trustRemote === 'function' ? trustRemote : () => trustRemote;
  const spans: CallSpans = {
    tracer,
    trusts,
    peers: omitPeerAttributes ? undefined : new PeerAttributes(),
  };
  return {
    interceptors: { client: [clientSpans(spans)], server: [serverSpans(spans)] },
    publish: (topic, value, publishOptions) => publishTraced(tracer, topic, value, publishOptions),
    consumer: (topic, handle) => (message, meta) =>
      consumeTraced(spans, topic.name, message, meta, handle),
  };
}
