// The measured tasks. Each checks what it gets.

import type { Stopwatch } from '../stopwatch.ts';
import type { Client } from './library.ts';
import { DOWNLOADED, LISTED, type Order, orderOf, type Small, smallOf } from './work.ts';

export interface Task {
  readonly name: string;
  readonly title: string;
  readonly inFlight: number;
  /** What the figures count. */
  readonly unit: 'calls' | 'items';
  /** Makes a call. The number is another one for each call. */
  run(client: Client, number: number, watch: Stopwatch): Promise<void>;
}

export const TASKS: readonly Task[] = [
  { name: 'one', title: 'a small object', inFlight: 1, unit: 'calls', run: echo },
  { name: 'small', title: 'a small object', inFlight: 128, unit: 'calls', run: echo },
  { name: 'order', title: 'an order of 1 KiB', inFlight: 64, unit: 'calls', run: place },
  { name: 'list', title: '1,500 orders', inFlight: 4, unit: 'calls', run: list },
  {
    name: 'download',
    title: 'a download of 1,000 small objects',
    inFlight: 1,
    unit: 'items',
    run: items,
  },
];

/** Keeps calls in flight until the watch says stop. */
export async function runTask(task: Task, client: Client, watch: Stopwatch): Promise<void> {
  let number = 0;
  const worker = async () => {
    while (!watch.over) await task.run(client, number++, watch);
  };
  await Promise.all(Array.from({ length: task.inFlight }, worker));
}

async function echo(client: Client, number: number, watch: Stopwatch): Promise<void> {
  const request = SMALL[number % SMALL.length]!;
  const reply = await client.echo(request);
  if (reply.id !== request.id || reply.at !== request.at) throw wrong(reply);
  watch.calls++;
}

async function place(client: Client, number: number, watch: Stopwatch): Promise<void> {
  const request = ORDERS[number % ORDERS.length]!;
  const reply = await client.place(request);
  if (reply.id !== request.id || reply.note !== request.note || reply.status !== 'paid')
    throw wrong(reply);
  watch.calls++;
}

async function list(client: Client, _number: number, watch: Stopwatch): Promise<void> {
  const orders = await client.list({ from: 0, count: LISTED });
  if (orders.length !== LISTED || orders.some(({ id }, at) => id !== orders[0]!.id + at))
    throw wrong(orders.length);
  watch.calls++;
}

async function items(client: Client, _number: number, watch: Stopwatch): Promise<void> {
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
