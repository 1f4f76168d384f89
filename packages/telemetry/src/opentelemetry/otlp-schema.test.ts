// Tests that the check of OTLP finds mistakes.

import test from 'ava';
import { checkOtlp } from './testing/otlp-schema.ts';

const span = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  name: 'kv/get',
  kind: 3,
  startTimeUnixNano: '1700000000000000000',
  attributes: [{ key: 'a', value: { stringValue: 'b' } }],
  status: { code: 0 },
};
const traces = (changes: object) => ({
  resourceSpans: [{ scopeSpans: [{ spans: [{ ...span, ...changes }] }] }],
});

test('a body that follows the schema passes', (t) => {
  t.notThrows(() => checkOtlp('/v1/traces', traces({})));
  t.notThrows(() =>
    checkOtlp('/v1/metrics', {
      resourceMetrics: [
        {
          scopeMetrics: [
            {
              metrics: [
                {
                  name: 'calls',
                  sum: {
                    aggregationTemporality: 2,
                    isMonotonic: true,
                    dataPoints: [{ timeUnixNano: '1', asDouble: 1 }],
                  },
                },
              ],
            },
          ],
        },
      ],
    }),
  );
});

for (const [title, changes, message] of [
  ['an unknown field', { traceid: 'a' }, /spans\[0\]\.traceid: Span has no such field/],
  ['an id in base64', { traceId: 'CvdlGRbNQ92ESOshHIAxnA==' }, /traceId must be bytes/],
  ['an unknown kind', { kind: 9 }, /kind must be SpanKind, got 9/],
  ['a kind by name', { kind: 'SPAN_KIND_CLIENT' }, /kind must be SpanKind/],
  ['a time with a fraction', { startTimeUnixNano: 1.5 }, /startTimeUnixNano must be fixed64/],
  ['attributes as an object', { attributes: { a: 'b' } }, /attributes must be a list/],
  [
    'an attribute of two types',
    {
      attributes: [{ key: 'a', value: { stringValue: 'b', intValue: 1 } }],
    },
    /value: multiple values/,
  ],
] as const)
  test(`${title} is found`, (t) => {
    t.throws(() => checkOtlp('/v1/traces', traces(changes)), { message });
  });

test('a body at another path is found', (t) => {
  t.throws(() => checkOtlp('/v1/logs', {}), { message: /no path of OTLP/ });
});
