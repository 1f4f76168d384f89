// The context of a trace as text, in the format of W3C Trace Context: `traceparent` and
// `tracestate`.

import { createTraceState, isSpanContextValid, type SpanContext } from '@opentelemetry/api';

/** The context of a span, as it travels with a call or a message. */
export interface TraceContext {
  /** Version, trace id, span id and flags, in hex. */
  readonly traceparent: string;
  /** State of the tracing systems that are involved, at most 512 characters. */
  readonly tracestate?: string | undefined;
}

/**
 * Returns the text of a span's context; undefined if that context is invalid, for example because
 * there is no tracer.
 */
export function formatContext(span: SpanContext): TraceContext | undefined {
  if (!isSpanContextValid(span)) return undefined;
  const flags = (span.traceFlags & 0xff).toString(16).padStart(2, '0');
  const traceparent = `00-${span.traceId}-${span.spanId}-${flags}`;
  const tracestate = span.traceState?.serialize();
  if (tracestate === undefined || tracestate === '' || tracestate.length > LONGEST_STATE)
    return { traceparent };
  return { traceparent, tracestate };
}

/**
 * Returns the context that a peer sent; undefined if the peer sent none, or a malformed one. Of the
 * flags, only `sampled` is kept. Never throws.
 */
export function parseContext({
  traceparent,
  tracestate,
}: Partial<TraceContext>): SpanContext | undefined {
  if (traceparent === undefined) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = FORMAT.exec(traceparent) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined))
    return undefined;
  const context: SpanContext = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & SAMPLED,
    isRemote: true,
  };
  if (!isSpanContextValid(context)) return undefined;
  if (tracestate === undefined || tracestate.length > LONGEST_STATE) return context;
  return { ...context, traceState: createTraceState(tracestate) };
}

const FORMAT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 1;
/**
 * Maximum length of `tracestate` in characters. Longer states are dropped, as W3C Trace Context
 * allows.
 */
const LONGEST_STATE = 512;
