// The measured tasks. Each checks what it gets.

import type { CallScenario } from '../scenarios.ts';
import type { Stopwatch } from '../stopwatch.ts';
import type { Client } from './library.ts';
import { DOWNLOADED, LISTED, type Order, orderOf, type Small, smallOf } from './work.ts';

/** Makes a call. Each call of a client has another number. */
type Call = (client: Client, number: number, watch: Stopwatch) => Promise<void>;

export const TASKS: readonly CallScenario<Client>[] = [
  // Like s1, it needs more time until enough calls have been made for V8 to compile the code.
  { ...task('one', 'A small object, one call at a time', 1, echo), warmUps: 3 },
  task('small', 'A small object, 128 calls in flight', 128, echo),
  task('order', 'An order of 1 KiB, 64 calls in flight', 64, place),
  task('list', `A list of ${LISTED} orders, 4 calls in flight`, 4, list),
  task('download', `A download of ${DOWNLOADED} small objects`, 1, items, 'items/s'),
];

/** Keeps calls in flight until the watch says stop. */
function task(
  name: string,
  title: string,
  inFlight: number,
  call: Call,
  unit = 'calls/s',
): CallScenario<Client> {
  return {
    name,
    title,
    figures: [
      { key: 'rate', unit },
      { key: 'cpu', unit: 'CPU µs' },
    ],
    async run(client, watch) {
      let number = 0;
      const worker = async () => {
        while (!watch.over) await call(client, number++, watch);
      };
      await Promise.all(Array.from({ length: inFlight }, worker));
    },
  };
}

async function echo(...[client, number, watch]: Parameters<Call>): Promise<void> {
  const request = SMALL[number % SMALL.length]!;
  const reply = await client.echo(request);
  if (reply.id !== request.id || reply.at !== request.at) throw wrong(reply);
  watch.calls++;
}

async function place(...[client, number, watch]: Parameters<Call>): Promise<void> {
  const request = ORDERS[number % ORDERS.length]!;
  const reply = await client.place(request);
  if (reply.id !== request.id || reply.note !== request.note || reply.status !== 'paid')
    throw wrong(reply);
  watch.calls++;
}

async function list(...[client, , watch]: Parameters<Call>): Promise<void> {
  const orders = await client.list({ from: 0, count: LISTED });
  if (orders.length !== LISTED || orders.some(({ id }, at) => id !== orders[0]!.id + at))
    throw wrong(orders.length);
  watch.calls++;
}

async function items(...[client, , watch]: Parameters<Call>): Promise<void> {
  let count = 0;
  await client.items({ from: 0, count: DOWNLOADED }, ({ id }) => {
    if (id !== smallOf(count++).id) throw wrong(id);
    watch.calls++;
  });
  if (count !== DOWNLOADED) throw wrong(count);
}

function wrong(what: unknown): Error {
  return new Error(`a wrong answer: ${JSON.stringify(what)}`);
}

/** Twice as many as are in flight. */
const SMALL: readonly Small[] = Array.from({ length: 256 }, (_, number) => smallOf(number));
const ORDERS: readonly Order[] = Array.from({ length: 128 }, (_, number) => orderOf(number));
