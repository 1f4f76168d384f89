// Cases about rate limits: a token bucket in each direction, and no peer is judged dead while a
// bucket holds something back.

import type { CommonOptions } from '@trunkline/transport-core';
import { serveKit } from './serving.ts';
import type { Cases } from './suite.ts';
import { deferred, pattern, textOf, utf8 } from './values.ts';

export const rateCases: Cases = (define) => {
  for (const [direction, end] of [
    ['send', 'a'],
    ['receive', 'b'],
  ] as const) {
    define(
      `limits.rate.${direction} bounds the bytes of a second, and the connection lives on`,
      async (f, t) => {
        const options: CommonOptions = {
          limits: { rate: { [direction]: 100_000 } },
          timeout: Infinity,
        };
        const { a, b, at } = await f.pair({ a: { timeout: Infinity }, [end]: options });
        const got = deferred<number>();
        serveKit(b, { note: (request) => got.resolve(request.length) });
        const remote = await a.dial(at);
        const start = f.clock.now();
        void a.send(at, 'note', pattern(1_000_000));
        t.is(await f.drive(got.promise), 1_000_000);
        const took = f.clock.now() - start;
        t.true(took > 7_000 && took < 15_000, `1 MB at 100,000 bytes a second took ${took} ms`);
        t.false(remote.closed);
        t.is(textOf(await f.drive(a.send(at, 'echo', utf8('and on')))), 'and on');
      },
    );
  }
};
