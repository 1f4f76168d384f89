// The work that every library does: the same objects, the same zod schemas and the same answers.

import { Buffer } from 'node:buffer';
import { z } from 'zod';

const small = z.object({ id: z.int(), user: z.string(), text: z.string(), at: z.int() });
const order = z.object({
  id: z.int(),
  placed: z.iso.datetime(),
  status: z.enum(['open', 'paid', 'sent']),
  customer: z.object({ name: z.string(), street: z.string(), city: z.string() }),
  lines: z.array(
    z.object({
      article: z.string(),
      title: z.string(),
      quantity: z.int().positive(),
      price: z.number().nonnegative(),
    }),
  ),
  total: z.number(),
  note: z.string(),
});
const page = z.object({ from: z.int(), count: z.int().nonnegative() });
export const SCHEMAS = { small, order, page, orders: z.array(order) } as const;

export type Small = z.infer<typeof small>;
export type Order = z.infer<typeof order>;
export type Page = z.infer<typeof page>;

/** JSON whose value is checked by its sender and by its receiver, as Trunkline does. */
export interface Form<Value> {
  encode(value: Value): Buffer;
  decode(bytes: Uint8Array): Value;
}

export const FORMS = {
  small: formOf(small),
  order: formOf(order),
  page: formOf(page),
  orders: formOf(SCHEMAS.orders),
} as const;

function formOf<Value>(schema: z.ZodType<Value>): Form<Value> {
  return {
    encode: (value) => Buffer.from(JSON.stringify(schema.parse(value))),
    decode: ({ buffer, byteOffset, length }) =>
      schema.parse(JSON.parse(Buffer.from(buffer, byteOffset, length).toString())),
  };
}

export function smallOf(number: number): Small {
  const id = FIRST + (number % MOST);
  return { id, user: `user-${id % 100}`, text: 'The parcel is on its way.', at: TIME + id };
}

/** Returns an order of exactly 1 KiB of JSON, if its number is below a million. */
export function orderOf(number: number): Order {
  const order: Order = {
    id: FIRST + (number % MOST),
    placed: new Date(TIME + number * 1_000).toISOString(),
    status: 'open',
    customer: { name: 'Ada Example', street: '12 Long Lane', city: 'Springfield' },
    lines: Array.from({ length: 8 }, (_, at) => ({
      article: `A-${FIRST + at}`,
      title: `Part number ${at} of ${number}`,
      quantity: at + 1,
      price: at + 0.95,
    })),
    total: 235.2,
    note: '',
  };
  const missing = ORDER - JSON.stringify(order).length;
  return { ...order, note: 'Ring twice. '.repeat(100).slice(0, missing) };
}

/** The handlers of every server. */
export const service = {
  echo: (request: Small): Small => request,
  place: (request: Order): Order => ({ ...request, status: 'paid' }),
  list: ({ from, count }: Page): Order[] => ORDERS.slice(from, from + count),
  *items({ from, count }: Page): Generator<Small> {
    for (let at = 0; at < count; at++) yield ITEMS[(from + at) % ITEMS.length]!;
  },
};

/** The orders of a list, and the items of a download. */
export const LISTED = 1_500;
export const DOWNLOADED = 1_000;
/** The bytes of an order. */
const ORDER = 1_024;
/** All ids have six digits, so that sizes do not depend on them. */
const FIRST = 100_000;
const MOST = 900_000;
const TIME = Date.UTC(2026, 0, 1);
const ORDERS = Array.from({ length: LISTED }, (_, number) => orderOf(number));
const ITEMS = Array.from({ length: DOWNLOADED }, (_, number) => smallOf(number));
