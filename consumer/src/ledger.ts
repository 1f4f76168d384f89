// A protocol with all five kinds of call, and checks of the types that TypeScript infers from its
// definition.

import type { Client, Handlers, ResponseOf, Rpc, Transport } from '@trunkline/transport-core';
import { bytes, defineProtocol, json } from '@trunkline/transport-core';
import { z } from 'zod';

const Amount = z.object({ account: z.string(), amount: z.number().default(0) });
const Balance = z.object({ balance: z.number() });

export const ledger = defineProtocol({
  name: 'ledger',
  version: 2,
  accepts: [1],
  channel: 0x20,
  methods: {
    book: { id: 1, request: json(Amount), response: json(Balance), timeout: 500 },
    hint: { id: 2, request: bytes },
    restore: { id: 3, request: json(z.string()), upload: bytes, response: json(z.number()) },
    dump: { id: 4, request: json(z.string()), download: json(Amount) },
    replay: { id: 5, request: bytes, upload: bytes, download: bytes },
  },
});
export type Ledger = typeof ledger;

/** Checks every promise of the types that users rely on; it is only compiled and makes no calls. */
export async function use(
  transport: Transport<Ledger>,
  target: string,
  upload: AsyncIterable<Uint8Array>,
): Promise<void> {
  const options = { timeout: 100, signal: undefined, metadata: { tenant: 't' } };
  const booked = await transport.send(target, 'book', { account: 'a' }, options);
  equal<typeof booked, { balance: number }>(true);
  equal<ResponseOf<Ledger, 'restore'>, number>(true);
  const client: Client<Ledger> = transport.to(target);
  equal<Awaited<ReturnType<typeof client.restore>>, number>(true);
  await client.restore('a', { upload });
  for await (const item of await client.dump('a'))
    equal<typeof item, { account: string; amount: number }>(true);
  const queued: boolean = transport.trySend(target, 'hint', new Uint8Array(1));
  await transport.send(target, 'hint', new Uint8Array(Number(queued)));

  // @ts-expect-error: no such method
  void transport.send(target, 'missing', 1);
  // @ts-expect-error: the account must be a string
  void transport.send(target, 'book', { account: 1 });
  // @ts-expect-error: restore uploads
  void transport.send(target, 'restore', 'a');
  // @ts-expect-error: only one-way methods can be tried
  transport.trySend(target, 'book', { account: 'a' });
  const head = { name: 'wrong', version: 1, channel: 0x30 } as const;
  // @ts-expect-error: an upload needs a response or a download
  defineProtocol({ ...head, methods: { lost: { id: 1, request: bytes, upload: bytes } } });
  const hint = { id: 1, request: bytes } as const;
  // @ts-expect-error: two methods with one id
  defineProtocol({ ...head, methods: { a: hint, b: hint } });
}

export const handlers: Handlers<Ledger> = {
  book: ({ account, amount }, { metadata }) => ({
    balance: account.length + amount + (metadata['tenant'] ?? '').length,
  }),
  restore: async (_name, rpc) => {
    let size = 0;
    for await (const chunk of rpc.upload) size += chunk.length;
    return size;
  },
  async *dump(account) {
    yield { account };
  },
};

/** A switch on `method` narrows the types of the request and of the answer. */
export function answer(rpc: Rpc<Ledger>): boolean {
  switch (rpc.method) {
    case 'book':
      return rpc.respond({ balance: rpc.request.amount });
    case 'restore':
      return rpc.respond(rpc.request.length);
    case 'dump':
    case 'replay':
      return rpc.end();
    case 'hint':
      return rpc.request.length > 0;
  }
}

export function equal<A, B>(
  _same: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false,
): void {}
