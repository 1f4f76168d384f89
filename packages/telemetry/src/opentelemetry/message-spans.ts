// Spans of messages of gossip: PRODUCER when a message is published, CONSUMER when a node handles
// it. A CONSUMER span is linked to the PRODUCER span, because one message reaches many nodes.

import { type Attributes, context, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import type { CallSpans } from './call-spans.ts';
import { endSpan } from './span-attributes.ts';
import { formatContext, parseContext } from './trace-context.ts';
import type { Traced } from './traced-codec.ts';

/** A topic of gossip whose codec is `traced(…)`. */
export interface TracedTopic<T, O, R> {
  readonly name: string;
  publish(message: Traced<T>, options?: O): Promise<R>;
}

/** The properties of a received message that become attributes of its span. */
export interface TracedMeta {
  readonly id: string;
  readonly from: string;
  readonly hops: number;
}

/** Publishes a message in a PRODUCER span. */
export function publishTraced<T, O, R>(
  tracer: Tracer,
  topic: TracedTopic<T, O, R>,
  value: T,
  options: O | undefined,
): Promise<R> {
  const attributes = { ...messaging('publish', 'send', topic.name) };
  const span = tracer.startSpan(`publish ${topic.name}`, { kind: SpanKind.PRODUCER, attributes });
  const carried = formatContext(span.spanContext());
  const message: Traced<T> = carried === undefined ? { value } : { value, trace: carried };
  const published = context.with(trace.setSpan(context.active(), span), () =>
    topic.publish(message, options),
  );
  published.then(
    () => endSpan(span),
    (error) => endSpan(span, error),
  );
  return published;
}

/** Handles a received message in a CONSUMER span, and returns what the handler returns. */
export function consumeTraced<T, M extends TracedMeta, R>(
  { tracer, peers }: Pick<CallSpans, 'tracer' | 'peers'>,
  topic: string,
  { value, trace: carried }: Traced<T>,
  meta: M,
  handle: (value: T, meta: M) => R,
): R {
  const publisher = carried === undefined ? undefined : parseContext(carried);
  const attributes: Attributes = {
    ...messaging('process', 'process', topic),
    'messaging.message.id': meta.id,
    'trunkline.gossip.hops': meta.hops,
    ...(peers === undefined ? undefined : { 'trunkline.peer.id': meta.from }),
  };
  const links = publisher === undefined ? [] : [{ context: publisher }];
  const span = tracer.startSpan(`process ${topic}`, {
    kind: SpanKind.CONSUMER,
    attributes,
    links,
    root: true,
  });
  try {
    const result = context.with(trace.setSpan(context.active(), span), () => handle(value, meta));
    const { then } = (result ?? {}) as { then?: unknown };
    if (typeof then !== 'function') endSpan(span);
    else
      (result as PromiseLike<unknown>).then(
        () => endSpan(span),
        (error) => endSpan(span, error),
      );
    return result;
  } catch (error) {
    endSpan(span, error);
    throw error;
  }
}

function messaging(name: string, type: string, topic: string): Attributes {
  return {
    'messaging.system': 'trunkline',
    'messaging.operation.name': name,
    'messaging.operation.type': type,
    'messaging.destination.name': topic,
  };
}
