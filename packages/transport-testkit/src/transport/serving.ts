// What answers in most cases: one handler for each kind of call.

import { type Handlers, type Server, serve } from '@trunkline/transport-core';
import type { Kit, KitTransport, kit } from './protocols.ts';
import { pattern, textOf, utf8 } from './values.ts';

/** Handlers of the kit's protocol: all echo, but `gather` (answers 'items bytes'), `range` (streams what `rangeOf` asked for) and `note` (does nothing). */
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

/** Serves the kit's protocol, `handlers` before `echoHandlers`. */
export function serveKit(transport: KitTransport, handlers: Handlers<Kit> = {}): Server {
  return serve<typeof kit>(transport, { ...echoHandlers, ...handlers });
}

/** The request of `range` for so many items of so many bytes, item i being `pattern(size, i + 1)`. */
export function rangeOf(items: number, size: number): Uint8Array<ArrayBuffer> {
  return utf8(`${items} ${size}`);
}

/** Keep-alive for a case that moves time far: its sockets need real time for a PONG, which its clock does not give them. */
export const NO_PINGS = { interval: 3_600_000 };
