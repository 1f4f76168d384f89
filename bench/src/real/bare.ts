// The bare socket: hand-written calls over node:net or node:tls, with a length and an id before
// each message and one write per tick.

import type { Socket } from 'node:net';
import { framed, oncePerTick } from '../adapters/limit.ts';
import { plain, secure } from '../adapters/limit-net.ts';
import type { Carrier, Client, Library } from './library.ts';
import { FORMS, type Form, service } from './work.ts';

const socketsOf = (carrier: Carrier) => (carrier === 'TLS' ? secure : plain);

export const library: Library = {
  serve: (carrier) => socketsOf(carrier).serve(attend),
  connect: async (carrier, address) => clientOf(await socketsOf(carrier).dial(address)),
};

const open = framed();
const { small, order, page, orders } = FORMS;

/** The remainder of an id divided by the number of methods says which method is called. */
const METHODS = 4;
const [ECHO, PLACE, LIST, ITEMS] = [0, 1, 2, 3] as const;
/** Ends a download. */
const END = new Uint8Array(0);

function attend(socket: Socket): void {
  const wire = open(socket, (id, request) => {
    const method = id % METHODS;
    if (method === ECHO) wire.put(id, small.encode(service.echo(small.decode(request))));
    else if (method === PLACE) wire.put(id, order.encode(service.place(order.decode(request))));
    else if (method === LIST) wire.put(id, orders.encode(service.list(page.decode(request))));
    else {
      for (const item of service.items(page.decode(request))) wire.put(id, small.encode(item));
      wire.put(id, END);
    }
  });
}

function clientOf(socket: Socket): Client {
  const waiting = new Map<number, Waiting>();
  const wire = open(socket, (id, reply) => {
    const call = waiting.get(id)!;
    try {
      if (call.received(reply)) waiting.delete(id);
    } catch (error) {
      call.reject(error as Error);
    }
  });
  socket.on('close', () => {
    for (const { reject } of waiting.values()) reject(new Error('the connection was closed'));
  });
  let last = 0;
  const flush = oncePerTick(() => wire.flush());
  const send = (method: number, request: Uint8Array, waits: Waiting) => {
    last = (last + METHODS) % 2 ** 32;
    waiting.set(last + method, waits);
    wire.put(last + method, request);
    flush();
  };
  const unary =
    <Request, Reply>(method: number, request: Form<Request>, reply: Form<Reply>) =>
    (value: Request) =>
      new Promise<Reply>((resolve, reject) =>
        send(method, request.encode(value), {
          received(bytes) {
            resolve(reply.decode(bytes));
            return true;
          },
          reject,
        }),
      );
  return {
    echo: unary(ECHO, small, small),
    place: unary(PLACE, order, order),
    list: unary(LIST, page, orders),
    items: (request, take) =>
      new Promise((resolve, reject) =>
        send(ITEMS, page.encode(request), {
          received(bytes) {
            if (bytes.length > 0) take(small.decode(bytes));
            else resolve();
            return bytes.length === 0;
          },
          reject,
        }),
      ),
    close: async () => void socket.destroy(),
  };
}

interface Waiting {
  /** Takes a message, and returns whether it is the last one of its call. */
  received(reply: Uint8Array): boolean;
  reject(error: Error): void;
}
