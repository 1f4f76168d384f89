// The kinds of connections, by the names of their adapters: Trunkline's are not closed for being
// idle and have the default keep-alive, a ping after 10 s of silence. Bare sockets carry the calls of
// the raw limit; their batches are pooled, if per connection only what those calls need is to stay.

import type { Observer } from '@trunkline/transport-core';
import type { Caller } from '../adapters/adapter.ts';
import { attend, framed, limitCaller, type Open } from '../adapters/limit.ts';
import { accepting, plain, type Sockets, secure } from '../adapters/limit-net.ts';
import { byHandlers, OPEN } from '../adapters/trunkline.ts';

/** The connections that a server's process has seen come up and go down. */
export interface Counts {
  up: number;
  down: number;
}

export interface Kind {
  /** Runs in the server's process: accepts connections and echoes what arrives. */
  serve(counts: Counts): Promise<Serving>;
  /** Runs in a client's process. */
  connect(address: string): Promise<Holder>;
}

export interface Serving {
  readonly address: string;
  /** Bytes that each open connection has received; absent if they are not counted. */
  received?(): ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** Holds the connections of one client process. */
export interface Holder {
  /** Connections that ended although neither end closed them on purpose. */
  lost: number;
  /** Opens one more connection and makes one small call on it. */
  open(): Promise<void>;
  /** Repeats that call over the connection that was opened as the `at`-th, counted from 0. */
  call(at: number): Promise<void>;
  close(): Promise<void>;
}

const KINDS: Readonly<Record<string, Kind>> = {
  'limit-net': bare(plain, framed()),
  'limit-net-pooled': bare(plain, framed({ pool: [] })),
  'trunkline-tcp': trunkline('tcp'),
  'limit-tls': bare(secure, framed({ pool: [] })),
  'trunkline-tls': trunkline('tls'),
  'trunkline-noise': trunkline('noise'),
};

export const KIND_NAMES: readonly string[] = Object.keys(KINDS);

export function kindOf(name: string): Kind {
  return KINDS[name]!;
}

function bare({ listen, dialer }: Sockets, open: Open): Kind {
  return {
    serve: (counts) =>
      accepting(listen, (socket) => {
        counts.up++;
        socket.on('close', () => counts.down++);
        attend(socket, (request) => request, open);
      }),

    async connect(address) {
      const dial = await dialer();
      const callers: Caller[] = [];
      const holder: Holder = {
        lost: 0,
        async open() {
          const socket = await dial(Number(address));
          socket.on('close', () => holder.lost++);
          await holder.call(callers.push(limitCaller(socket, open)) - 1);
        },
        call: async (at) => checkCall(await callers[at]!.call(CALL)),
        async close() {
          for (const caller of callers) void caller.close();
        },
      };
      return holder;
    },
  };
}

function trunkline(carrier: 'tcp' | 'tls' | 'noise'): Kind {
  const watched = (event: (type: 'up' | 'down') => void) => {
    const observer: Observer = {
      event: ({ type }) => void ((type === 'up' || type === 'down') && event(type)),
    };
    return { observer, idleTimeout: Number.POSITIVE_INFINITY };
  };
  return {
    async serve(counts) {
      const transport = await OPEN[carrier](
        'server',
        watched((type) => counts[type]++),
      );
      byHandlers(transport, (request) => request);
      await transport.listen();
      return {
        address: transport.localAddr(),
        received: () =>
          new Map(transport.snapshot().connections.map(({ id, bytes }) => [id, bytes.in])),
        close: () => transport.close(),
      };
    },

    async connect(address) {
      let opened = 0;
      // A target has one connection, so each connection gets its own name for the same address.
      const transport = await OPEN[carrier]('client', {
        ...watched((type) => void (type === 'down' && holder.lost++)),
        resolve: () => address,
      });
      const holder: Holder = {
        lost: 0,
        open: () => holder.call(opened++),
        call: async (at) => checkCall(await transport.send(`connection-${at}:1`, 'answer', CALL)),
        close: () => transport.close(),
      };
      return holder;
    },
  };
}

/** The one small call of each connection, so that memory allocated on first use is included. */
const CALL = new Uint8Array(64).fill(7);

function checkCall(reply: Uint8Array): void {
  if (reply.length !== CALL.length || reply[0] !== 7 || reply[CALL.length - 1] !== 7)
    throw new Error(`a wrong answer of ${reply.length} bytes`);
}
