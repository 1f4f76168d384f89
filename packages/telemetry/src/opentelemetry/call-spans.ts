// Spans of calls, which interceptors create: a CLIENT span around a call that is made, and a SERVER
// span around its handling. The context travels in the metadata of the request.

import {
  type Context,
  context,
  type Link,
  type Span,
  SpanKind,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { ClientInterceptor, Remote, ServerInterceptor } from '@trunkline/transport-core';
import { callAttributes, endCall, type PeerAttributes } from './span-attributes.ts';
import { formatContext, parseContext } from './trace-context.ts';

/** The settings of spans for calls. */
export interface CallSpans {
  readonly tracer: Tracer;
  readonly trusts: (remote: Remote) => boolean;
  /** Undefined if spans have no attributes of peers. */
  readonly peers: PeerAttributes | undefined;
}

/** Returns an interceptor that makes a CLIENT span for each call. */
export function clientSpans({ tracer, peers }: CallSpans): ClientInterceptor {
  return (next) => (call) => {
    const attributes = callAttributes(call.protocol, call.method);
    if (peers !== undefined) Object.assign(attributes, peers.ofTarget(call.target));
    const name = `${call.protocol}/${call.method}`;
    const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes });
    const carried = formatContext(span.spanContext());
    if (carried === undefined) return next(call);
    const { traceparent, tracestate } = carried;
    call.metadata = {
      ...call.metadata,
      traceparent,
      ...(tracestate === undefined ? undefined : { tracestate }),
    };
    return follow(span, call.kind, () => next(call)) as Promise<unknown>;
  };
}

/** Returns an interceptor that makes a SERVER span for each call that is handled. */
export function serverSpans({ tracer, trusts, peers }: CallSpans): ServerInterceptor {
  return (next) => (call) => {
    const attributes = callAttributes(call.protocol, call.method);
    if (peers !== undefined) Object.assign(attributes, peers.ofCaller(call.from));
    const caller = parseContext(call.metadata);
    const isTrusted = caller !== undefined && trusts(call.from);
    const links: Link[] = caller !== undefined && !isTrusted ? [{ context: caller }] : [];
    const span = tracer.startSpan(
      `${call.protocol}/${call.method}`,
      { kind: SpanKind.SERVER, attributes, links, root: !isTrusted },
      isTrusted ? trace.setSpanContext(context.active(), caller) : context.active(),
    );
    // A handler whose caller has left may fail with any error, or only have its items closed.
    const outcome = (error: unknown) => (call.signal.aborted ? call.signal.reason : error);
    return follow(span, call.kind, () => next(call), outcome);
  };
}

/**
 * Runs a call in the context of its span, and ends the span when the call or its stream of items
 * ends.
 *
 * @param outcome returns the error of a call that failed, or whose items were not read to the end.
 */
function follow(
  span: Span,
  kind: string,
  run: () => unknown,
  outcome = (error: unknown) => error,
): unknown {
  const active = trace.setSpan(context.active(), span);
  const streams = kind === 'download' || kind === 'duplex';
  let result: unknown;
  try {
    result = context.with(active, run);
  } catch (error) {
    endCall(span, outcome(error));
    throw error;
  }
  const succeeded = (value: unknown) => {
    if (streams && isIterable(value)) return new FollowedItems(value, span, active, outcome);
    endCall(span);
    return value;
  };
  if (!isThenable(result)) return succeeded(result);
  const failed = (error: unknown) => endCall(span, outcome(error));
  if (streams)
    return result.then(succeeded, (error) => {
      failed(error);
      throw error;
    });
  result.then(succeeded, failed);
  return result;
}

/** The items of a stream. The span ends when the stream ends. */
class FollowedItems implements AsyncIterableIterator<unknown> {
  readonly #items: AsyncIterator<unknown>;
  readonly #span: Span;
  readonly #context: Context;
  readonly #outcome: (error: unknown) => unknown;
  #isOver = false;

  constructor(
    items: AsyncIterable<unknown>,
    span: Span,
    active: Context,
    outcome: (error: unknown) => unknown,
  ) {
    this.#items = items[Symbol.asyncIterator]();
    this.#span = span;
    this.#context = active;
    this.#outcome = outcome;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown>> {
    return this.#step(() => this.#items.next());
  }

  return(): Promise<IteratorResult<unknown>> {
    this.#end(this.#outcome(undefined));
    return this.#step(
      () => this.#items.return?.() ?? Promise.resolve({ value: undefined, done: true }),
    );
  }

  async #step(step: () => Promise<IteratorResult<unknown>>): Promise<IteratorResult<unknown>> {
    try {
      const result = await context.with(this.#context, step);
      if (result.done === true) this.#end(undefined);
      return result;
    } catch (error) {
      this.#end(this.#outcome(error));
      throw error;
    }
  }

  #end(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    endCall(this.#span, error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
