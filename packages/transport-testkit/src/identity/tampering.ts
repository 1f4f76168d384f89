// Cases with a wire that cuts the handshake off at any byte, or changes one bit of any byte: no
// connection comes up after an altered handshake, and no altered data is delivered.

import { TransportError } from '@trunkline/transport-core';
import { caught } from '../transport/expect.ts';
import { equalBytes } from '../transport/values.ts';
import { attempt, checkUnharmed, handshakeLengths, relayedNodes } from './handshakes.ts';
import { checkCall } from './refusals.ts';
import type { Cases } from './suite.ts';

export const tamperingCases: Cases = (define, { ignoredBytes = 0 }) => {
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

    define(
      `a handshake with one changed bit in any byte from the ${direction} fails with a typed error, and the acceptor keeps serving`,
      async (f, t) => {
        const on = await relayedNodes(f, { dial: 3_000, handshake: 5_000 });
        const length = (await handshakeLengths(f, on))[direction];
        t.true(length > 100);
        const whole: number[] = [];
        for (let flip = 0; flip < length; flip++) {
          const outcome = await attempt(
            f,
            on,
            { [direction]: { flip } },
            `byte ${flip} of ${length} changed`,
          );
          if (outcome === 'whole') whole.push(flip);
        }
        t.log(
          `${length} bytes; whole all the same, the ids right: byte ${whole.join(', ') || 'none'}`,
        );
        t.true(
          whole.length <= ignoredBytes,
          `${whole.length} bytes are ignored: ${whole.join(', ')}`,
        );
        await checkUnharmed(f, on, length - whole.length);
      },
      { time: LONG },
    );

    define(
      `one changed bit of application data from the ${direction} ends the connection, and no altered data is delivered`,
      async (f, t) => {
        const on = await relayedNodes(f, { dial: 3_000, handshake: 5_000 });
        const { a, b, relay } = on;
        const request = Uint8Array.from({ length: 24 }, (_, i) => i + 1);
        let length = 1;
        for (let at = 0; at < length; at++) {
          relay.tamperings = {};
          await checkCall(f, a, b, relay.at);
          await f.quiet();
          const lane = relay.last[direction];
          const begin = lane.written;
          if (at === 0) {
            await a.transport.send(relay.at, 'echo', request);
            await f.quiet();
            length = lane.written - begin;
            t.true(length >= 24);
          }
          const served = b.served.length;
          lane.course = { flip: lane.written + at };
          const error = await f.drive(
            caught(t, a.transport.send(relay.at, 'echo', request)),
            3_000,
          );
          if (!(error instanceof TransportError))
            t.fail(`byte ${at} of ${length}: ${String(error)}`);
          if (b.served.length !== served + (direction === 'dialer' ? 0 : 1))
            t.fail(`byte ${at} of ${length}: ${b.served.length - served} were dispatched`);
          await f.driveUntil(
            'the connection has ended at both ends',
            () => a.transport.remotes().length === 0 && b.transport.remotes().length === 1,
            3_000,
          );
        }
        t.log(`${length} bytes`);
        t.true(
          b.served.every(
            (call) => call.request.length !== request.length || equalBytes(call.request, request),
          ),
          'nothing altered was delivered',
        );
      },
      { time: LONG },
    );
  }
};

/** The time limit for thousands of handshakes on a busy machine, in milliseconds. */
const LONG = 900_000;
