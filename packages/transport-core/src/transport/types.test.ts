// Checks the types of a protocol's calls. Each line under @ts-expect-error fails the build if the
// compiler accepts it. Only the last test calls anything.

import test from 'ava';
import { z } from 'zod';
import { bytes, type Codec, empty } from '../protocol/codec.ts';
import { json } from '../protocol/json.ts';
import { protobuf } from '../protocol/protobuf.ts';
import {
  defineProtocol,
  methodId,
  type Protocol,
  type ProtocolMethods,
} from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import type {
  Handlers,
  ItemOf,
  MethodName,
  OneWayName,
  RequestInput,
  RequestOf,
  ResponseInput,
  ResponseOf,
  Rpc,
  UploadOf,
} from '../rpc/types.ts';
import type { AnyTransport, Client, SendOptions, Target, Transport } from './types.ts';

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>) => {};

interface Append {
  term: number;
}
declare const appendType: {
  encode(message: any): { finish(): Uint8Array };
  decode(reader: any): Append;
};
type Bytes = Uint8Array<ArrayBuffer>;

const define = () =>
  defineProtocol({
    name: 'raft',
    version: 1,
    accepts: [0],
    channel: 0x20,
    methods: {
      requestVote: {
        id: 1,
        request: json(z.object({ term: z.coerce.number<string>() })),
        response: json(z.object({ granted: z.boolean(), at: z.string().default('') })),
        timeout: 500,
      },
      appendEntries: {
        id: 2,
        request: protobuf<Append>(appendType),
        response: protobuf<Append>(appendType),
      },
      hint: { id: 3, request: bytes },
      installSnapshot: {
        id: 4,
        request: json(z.string()),
        upload: bytes,
        response: json(z.number()),
      },
      fetchBlocks: {
        id: 5,
        request: json(z.number()),
        download: json(z.object({ height: z.number() })),
      },
      replay: { id: 6, request: bytes, upload: json(z.string()), download: bytes },
    },
  });
type Raft = ReturnType<typeof define>;
declare const raft: Raft;
declare const transport: Transport<Raft>;
declare const target: Target;
declare const remote: Remote;
declare const uploadOf: <T>() => AsyncIterable<T>;

export function helpers() {
  same<
    MethodName<Raft>,
    'requestVote' | 'appendEntries' | 'hint' | 'installSnapshot' | 'fetchBlocks' | 'replay'
  >(true);
  same<OneWayName<Raft>, 'hint'>(true);
  same<RequestOf<Raft, 'requestVote'>, { term: number }>(true);
  same<RequestInput<Raft, 'requestVote'>, { term: string }>(true);
  same<ResponseOf<Raft, 'requestVote'>, { granted: boolean; at: string }>(true);
  same<ResponseInput<Raft, 'requestVote'>, { granted: boolean; at?: string | undefined }>(true);
  same<ResponseOf<Raft, 'appendEntries'>, Append>(true);
  same<RequestOf<Raft, 'hint'>, Bytes>(true);
  same<RequestInput<Raft, 'hint'>, Uint8Array>(true);
  same<ResponseOf<Raft, 'hint'>, never>(true);
  same<UploadOf<Raft, 'installSnapshot'>, Bytes>(true);
  same<ItemOf<Raft, 'fetchBlocks'>, { height: number }>(true);
  same<ItemOf<Raft, 'installSnapshot'>, never>(true);
}

export async function calls() {
  const vote = await transport.send(
    target,
    'requestVote',
    { term: '1' },
    { timeout: 5, metadata: { a: 'b' } },
  );
  same<typeof vote, { granted: boolean; at: string }>(true);
  const hinted = await transport.send('host:1', 'hint', new Uint8Array(1));
  same<typeof hinted, void>(true);
  const blocks = await transport.send(remote, 'fetchBlocks', 7);
  same<typeof blocks, AsyncIterable<{ height: number }>>(true);
  const installed = await transport.send(target, 'installSnapshot', 'meta', {
    upload: uploadOf<Uint8Array>(),
  });
  same<typeof installed, number>(true);
  const replayed = await transport.send(target, 'replay', new Uint8Array(1), {
    upload: uploadOf<string>(),
    signal: undefined,
  });
  same<typeof replayed, AsyncIterable<Bytes>>(true);

  // @ts-expect-error no such method
  transport.send(target, 'requestVotes', { term: '1' });
  // @ts-expect-error a wrong request
  transport.send(target, 'requestVote', { term: 1 });
  // @ts-expect-error another method's request
  transport.send(target, 'hint', { term: '1' });
  // @ts-expect-error no request
  transport.send(target, 'requestVote');
  // @ts-expect-error an upload is required, so options are
  transport.send(target, 'installSnapshot', 'meta');
  // @ts-expect-error an upload is required
  transport.send(target, 'installSnapshot', 'meta', { timeout: 5 });
  // @ts-expect-error an upload of other items
  transport.send(target, 'installSnapshot', 'meta', { upload: uploadOf<string>() });
  // @ts-expect-error nothing is uploaded here
  transport.send(target, 'requestVote', { term: '1' }, { upload: uploadOf<Uint8Array>() });
  // @ts-expect-error no such option
  transport.send(target, 'requestVote', { term: '1' }, { timeOut: 5 });
  // @ts-expect-error no target
  transport.send(7, 'requestVote', { term: '1' });

  const took: boolean = transport.trySend(target, 'hint', new Uint8Array(1));
  const each: boolean[] = transport.trySendAll([target, remote], 'hint', new Uint8Array(1));
  // @ts-expect-error only a one-way can be tried
  transport.trySend(target, 'requestVote', { term: '1' });
  // @ts-expect-error likewise to many
  transport.trySendAll([target], 'fetchBlocks', 7);
  return [took, each];
}

export async function clients() {
  const client: Client<Raft> = transport.to(target);
  same<Awaited<ReturnType<typeof client.requestVote>>, { granted: boolean; at: string }>(true);
  await client.requestVote({ term: '1' }, { timeout: 5 });
  const hinted = await client.hint(new Uint8Array(1));
  same<typeof hinted, void>(true);
  for await (const block of await client.fetchBlocks(1))
    same<typeof block, { height: number }>(true);
  for await (const block of client.fetchBlocks(1)) same<typeof block, { height: number }>(true);
  const replay = client.replay(new Uint8Array(1), { upload: uploadOf<string>() });
  for await (const item of replay) same<typeof item, Bytes>(true);
  // @ts-expect-error a response is not iterable
  for await (const _ of client.installSnapshot('meta', { upload: uploadOf<Uint8Array>() }));
  await client.installSnapshot('meta', { upload: uploadOf<Uint8Array>() });
  // @ts-expect-error an upload is required
  client.installSnapshot('meta');
  // @ts-expect-error a wrong request
  client.requestVote({});
  // @ts-expect-error no such method
  client.vote({ term: '1' });
}

export async function readers() {
  for await (const rpc of transport.consumer()) {
    same<typeof rpc, Rpc<Raft>>(true);
    same<typeof rpc.from, Remote>(true);
    rpc.fail(new Error('no'));
    // @ts-expect-error not every method has a response
    rpc.respond(1);
    switch (rpc.method) {
      case 'requestVote': {
        same<typeof rpc.request, { term: number }>(true);
        const told: boolean = rpc.respond({ granted: told_() });
        // @ts-expect-error a wrong response
        rpc.respond({ granted: 'yes' });
        // @ts-expect-error nothing is streamed
        rpc.write(1);
        void told;
        break;
      }
      case 'appendEntries':
        same<typeof rpc.request, Append>(true);
        rpc.respond({ term: rpc.request.term });
        break;
      case 'hint':
        same<typeof rpc.request, Bytes>(true);
        // @ts-expect-error nobody waits for an answer
        rpc.respond(1);
        break;
      case 'installSnapshot':
        for await (const chunk of rpc.upload) same<typeof chunk, Bytes>(true);
        rpc.respond(3);
        break;
      case 'fetchBlocks':
        await rpc.write({ height: 1 });
        // @ts-expect-error a wrong item
        await rpc.write({ depth: 1 });
        // @ts-expect-error a stream has no response
        rpc.respond(1);
        rpc.end();
        break;
      case 'replay':
        for await (const line of rpc.upload) await rpc.write(new TextEncoder().encode(line));
        rpc.end();
        break;
      default:
        same<typeof rpc, never>(true);
    }
  }
  for await (const rpc of transport.consumer('requestVote', 'hint'))
    same<typeof rpc.method, 'requestVote' | 'hint'>(true);
  for await (const rpc of transport.consumer('hint')) same<typeof rpc, Rpc<Raft, 'hint'>>(true);
  // @ts-expect-error no such method
  transport.consumer('hint', 'hints');
}
declare function told_(): boolean;

export function handlers(): Handlers<Raft>[] {
  const some: Handlers<Raft> = {
    requestVote: (request, rpc) => {
      same<typeof request, { term: number }>(true);
      same<typeof rpc, Rpc<Raft, 'requestVote'>>(true);
      return { granted: rpc.from.closed };
    },
    async appendEntries(request) {
      return { term: request.term };
    },
    hint: (request) => request.length,
    async installSnapshot(request, rpc) {
      let size = request.length;
      for await (const chunk of rpc.upload) size += chunk.length;
      return size;
    },
    async *fetchBlocks(from) {
      for (let height = from; ; height++) yield { height };
    },
    async replay(_, rpc) {
      for await (const line of rpc.upload) await rpc.write(new TextEncoder().encode(line));
    },
  };
  const answersItself: Handlers<Raft> = {
    requestVote: (_, rpc) => void rpc.respond({ granted: true }),
    installSnapshot: undefined,
  };
  // @ts-expect-error a wrong response
  const wrongResponse: Handlers<Raft> = { requestVote: () => ({ granted: 1 }) };
  // @ts-expect-error a wrong response in a promise
  const wrongPromise: Handlers<Raft> = { requestVote: async () => ({ granted: 1 }) };
  const numbers = async function* () {
    yield 1;
  };
  // @ts-expect-error a wrong item
  const wrongItem: Handlers<Raft> = { fetchBlocks: numbers };
  // @ts-expect-error no such method
  const unknown: Handlers<Raft> = { votes: () => {} };
  return [some, answersItself, wrongResponse, wrongPromise, wrongItem, unknown];
}

const calm = () =>
  defineProtocol({
    name: 'calm',
    methods: {
      ping: { request: empty, response: empty },
      note: { request: empty },
      list: { request: empty, download: bytes },
      send: { request: empty, upload: bytes, response: empty },
    },
  });
declare const calmly: Transport<ReturnType<typeof calm>>;

export async function withoutContent(): Promise<Handlers<ReturnType<typeof calm>>[]> {
  const client = calmly.to(target);
  const pinged = await client.ping();
  same<typeof pinged, void>(true);
  await client.ping(undefined, { timeout: 5 });
  await client.note();
  for await (const item of client.list()) same<typeof item, Bytes>(true);
  await client.send(undefined, { upload: uploadOf<Uint8Array>() });
  await calmly.send(target, 'ping', undefined, { timeout: 5 });
  // @ts-expect-error there is no content
  client.ping({ a: 1 });
  for await (const rpc of calmly.consumer('ping')) rpc.respond();
  // @ts-expect-error there is no response
  const wrong: Handlers<ReturnType<typeof calm>> = { ping: () => 5 };
  return [{ ping: () => {}, send: async (_, { upload }) => void upload }, wrong];
}

export function libraries(): unknown[] {
  const none = () => defineProtocol({ name: 'empty', version: 0, channel: 0x21, methods: {} });
  const takes = (any: AnyTransport) => any.mount(raft);
  same<ReturnType<typeof takes>, Transport<Raft>>(true);
  declareNone<Transport<ReturnType<typeof none>>>((other) => [takes(transport), takes(other)]);
  // @ts-expect-error to call through any transport, mount a protocol
  const call = (any: AnyTransport) => any.send(target, 'requestVote', { term: '1' });
  const generic = <P extends Protocol>(
    one: Transport<P>,
    method: MethodName<P>,
    rpc: Rpc<P>,
    options: SendOptions,
  ): AnyTransport => {
    rpc.fail(method);
    void options.timeout;
    return one;
  };
  const widened: Protocol<ProtocolMethods> = raft;
  return [call, generic, widened];
}
declare function declareNone<T>(use: (value: T) => unknown): void;

export function definitions(codec: Codec<string>, id: number) {
  const common = { name: 'p', version: 1, channel: 0x20 } as const;
  defineProtocol({
    ...common,
    // @ts-expect-error response and download exclude each other
    methods: { a: { id: 1, request: bytes, response: bytes, download: bytes } },
  });
  // @ts-expect-error an upload needs a response or a download
  defineProtocol({ ...common, methods: { a: { id: 1, request: bytes, upload: bytes } } });
  // @ts-expect-error a method needs a request
  defineProtocol({ ...common, methods: { a: { id: 1, response: bytes } } });
  // @ts-expect-error a codec is no schema
  defineProtocol({ ...common, methods: { a: { id: 1, request: z.string() } } });
  defineProtocol({
    ...common,
    // @ts-expect-error ids are unique
    methods: { a: { id: 1, request: bytes }, b: { id: 1, request: bytes } },
  });
  // @ts-expect-error a method has no other keys
  defineProtocol({ ...common, methods: { a: { id: 1, request: bytes, reply: bytes } } });
  // @ts-expect-error a protocol has no other keys
  defineProtocol({ ...common, methods: {}, chanel: 3 });
  const least = defineProtocol({ name: 'p', methods: { a: { request: bytes } } });
  same<typeof least.version, number>(true);
  const { id: leastId }: { id: number } = least.methods.a;
  const again = defineProtocol({ ...least, methods: { ...least.methods, b: { request: codec } } });
  same<RequestOf<typeof again, 'a'>, Bytes>(true);
  same<RequestOf<typeof again, 'b'>, string>(true);
  defineProtocol({
    name: 'p',
    version: undefined,
    channel: undefined,
    methods: { a: { request: bytes }, b: { id: methodId('c'), request: bytes } },
  });
  const computed = defineProtocol({
    ...common,
    priority: undefined,
    accepts: undefined,
    methods: { a: { id, request: codec, timeout: undefined }, b: { id: id + 1, request: codec } },
  });
  same<RequestOf<typeof computed, 'a'>, string>(true);
  same<RequestOf<typeof computed>, string>(true);
  return leastId;
}

export async function disposal() {
  await using held = transport;
  held.snapshot();
}

test('the build checks types, including those of this file', (t) => {
  t.is(typeof define, 'function');
});
