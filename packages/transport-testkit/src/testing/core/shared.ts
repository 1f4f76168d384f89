// Helpers of the cases: a pair that serves the kit's protocol, and sources of items.

import type { Handlers } from '@trunkline/transport-core';
import type { Fixture } from '../../transport/fixture.ts';
import type { Kit } from '../../transport/protocols.ts';
import { serveKit } from '../../transport/serving.ts';
import { deferred, pattern, utf8 } from '../../transport/values.ts';

/** Returns a linked pair whose second end serves the kit's protocol. */
export async function served(
  f: Fixture,
  handlers: Handlers<Kit> = {},
  options?: Parameters<Fixture['pair']>[0],
) {
  const pair = await f.pair(options);
  serveKit(pair.b, handlers);
  return pair;
}

/** Handlers that answer an upload when they have read all of it, which they begin after `gate`. */
export const gathering = (gate?: Promise<unknown>): Handlers<Kit> => ({
  async gather(_request, rpc) {
    await gate;
    for await (const _ of rpc.upload);
    return utf8('all');
  },
});

/** Returns items without an end, and `returned()`, which waits until their iterator is returned. */
export function endless(f: Fixture, size: number) {
  const returned = deferred();
  async function* items() {
    try {
      for (;;) {
        yield pattern(size);
        await f.turns(1); // Otherwise, this loop of promises would starve I/O.
      }
    } finally {
      returned.resolve();
    }
  }
  return {
    items: items(),
    returned: () => f.event('the return of the iterator', returned.promise),
  };
}

/** Items that hold a subscription from the start, as those of `events.on` do, until `return()`. */
export class SubscribedItems implements AsyncIterableIterator<Uint8Array> {
  readonly returned = deferred();
  reads = 0;

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<never> {
    this.reads++;
    return new Promise(() => {});
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.returned.resolve();
    return Promise.resolve({ value: undefined, done: true });
  }
}

/** Returns `send` of a transport for calls that the compiler refuses. */
export function looseSend(transport: { send: unknown }) {
  const send = transport.send as (...args: unknown[]) => Promise<unknown>;
  return (...args: unknown[]) => send.apply(transport, args);
}
