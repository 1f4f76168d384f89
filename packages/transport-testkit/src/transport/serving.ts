// The handlers of most cases: one for each method of the kit's protocol.

import { type Handlers, type Server, serve } from '@trunkline/transport-core';
import type { Bytes } from '@trunkline/transport-core/backend';
import type { Kit, KitTransport, kit } from './protocols.ts';
import { pattern, textOf, utf8 } from './values.ts';

/**
 * Handlers of the kit's protocol. All of them echo, except `gather` (answers 'items bytes'),
 * `range` (streams the items that `rangeOf` describes) and `note` (does nothing).
 */
export const echoHandlers: Handlers<Kit> = {
  echo: (request) => request,
  brisk: (request) => request,
  sync: (request) => request,
  block: (request) => request,
  note: () => undefined,
  async gather(_request, rpc) {
    let items = 0;
    let size = 0;
    for await (const item of rpc.upload) {
      items++;
      size += item.length;
    }
    return utf8(`${items} ${size}`);
  },
  async *range(request) {
    const [items = 0, size = 0] = textOf(request).split(' ').map(Number);
    for (let i = 0; i < items; i++) yield pattern(size, i + 1);
  },
  async *pipe(_request, rpc) {
    yield* rpc.upload;
  },
};

/** Serves the kit's protocol; entries of `handlers` take precedence over `echoHandlers`. */
export function serveKit(transport: KitTransport, handlers: Handlers<Kit> = {}): Server {
  return serve<typeof kit>(transport, { ...echoHandlers, ...handlers });
}

/**
 * Returns the request of `range` for that many items of that many bytes; item i is
 * `pattern(size, i + 1)`.
 */
export function rangeOf(items: number, size: number): Bytes {
  return utf8(`${items} ${size}`);
}

/**
 * The keep-alive option for a case that advances the clock far: its sockets need real time for a
 * PONG, and the clock does not wait for them.
 */
export const NO_PINGS = { interval: 3_600_000 };
