// Cases about handshakes that are cut off or fall silent at any byte: they end in time with a typed
// error, and affect no other connection.

import { attempt, checkUnharmed, handshakeLengths, relayedNodes } from './handshakes.ts';
import { rejections } from './refusals.ts';
import type { Cases } from './suite.ts';

export const cuttingCases: Cases = (define) => {
  for (const direction of ['dialer', 'acceptor'] as const) {
    define(
      `a handshake that is cut off at any byte from the ${direction} fails with a typed error, and the acceptor keeps serving`,
      async (f, t) => {
        const on = await relayedNodes(f, { dial: 3_000, handshake: 5_000 });
        const length = (await handshakeLengths(f, on))[direction];
        t.true(length > 100);
        for (let at = 0; at < length; at++) {
          const how = at % 2 === 0 ? 'close' : 'destroy';
          const outcome = await attempt(
            f,
            on,
            { [direction]: { end: { at, how } } },
            `${how} at ${at} of ${length}`,
          );
          if (outcome !== 'failed') t.fail(`cut off at ${at} of ${length} it came up`);
        }
        await checkUnharmed(f, on, length);
      },
      { time: LONG },
    );

    for (const impatient of ['dialer', 'acceptor'] as const) {
      define(
        `a handshake in which the ${direction} falls silent at any tenth byte ends at the timeout of the ${impatient}`,
        async (f, t) => {
          const on = await relayedNodes(
            f,
            impatient === 'dialer'
              ? { dial: 2_000, handshake: 600_000 }
              : { dial: 600_000, handshake: 2_000 },
          );
          const length = (await handshakeLengths(f, on))[direction];
          let failures = 0;
          for (let hold = 0; hold < length; hold += 10) {
            const began = f.clock.now();
            const outcome = await attempt(
              f,
              on,
              { [direction]: { hold } },
              `silent after ${hold} of ${length}`,
              500,
            );
            if (outcome === 'whole') t.fail(`silent after ${hold} of ${length} it came up`);
            const took = f.clock.now() - began;
            if (took < 2_000 || took > 5_000)
              t.fail(`silent after ${hold} of ${length}: it took ${took} ms`);
            failures++;
          }
          await checkUnharmed(f, on, failures);
          const reasons = new Set(rejections(on.b, 'in').map(({ error }) => error.reason));
          if (impatient === 'acceptor')
            t.true(reasons.has('handshake_timeout'), 'the observer is told that it took too long');
        },
        { time: LONG },
      );
    }
  }
};

/** The time limit for hundreds of handshakes on a busy machine, in milliseconds. */
const LONG = 900_000;
