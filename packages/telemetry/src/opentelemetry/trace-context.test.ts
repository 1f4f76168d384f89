// Tests of the text form of trace contexts.

import { createTraceState, INVALID_SPAN_CONTEXT } from '@opentelemetry/api';
import test from 'ava';
import { formatContext, parseContext } from './trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

test('a context survives the round trip', (t) => {
  const span = {
    traceId: TRACE,
    spanId: SPAN,
    traceFlags: 1,
    traceState: createTraceState('vendor=1'),
  };
  const text = formatContext(span)!;
  t.deepEqual(text, { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: 'vendor=1' });
  const parsed = parseContext(text)!;
  t.like(parsed, { traceId: TRACE, spanId: SPAN, traceFlags: 1, isRemote: true });
  t.is(parsed.traceState!.serialize(), 'vendor=1');
});

test('the context of no span has no text', (t) => {
  t.is(formatContext(INVALID_SPAN_CONTEXT), undefined);
});

test('malformed contexts are ignored, and later versions are read', (t) => {
  for (const traceparent of [
    '',
    `00-${TRACE}-${SPAN}`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  ])
    t.is(parseContext({ traceparent }), undefined, traceparent);
  t.like(parseContext({ traceparent: `01-${TRACE}-${SPAN}-03-more` }), { traceFlags: 1 });
  t.is(parseContext({}), undefined);
});

test('a state of more than 512 characters is dropped', (t) => {
  const traceparent = `00-${TRACE}-${SPAN}-00`;
  const parsed = parseContext({ traceparent, tracestate: `a=${'x'.repeat(600)}` });
  t.like(parsed, { traceId: TRACE });
  t.is(parsed!.traceState, undefined);
});
