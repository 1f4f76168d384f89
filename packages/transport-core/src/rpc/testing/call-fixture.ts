// The common setup of tests of calls: two sessions connected in memory, with callers and handlers
// at both ends.

import type { TransportError } from '../../errors.ts';
import { bytes } from '../../protocol/codec.ts';
import { defineProtocol, methodTable } from '../../protocol/protocol.ts';
import type { Memory } from '../../session/memory.ts';
import type { SessionLimits } from '../../session/session-context.ts';
import { type End, Pair, SMALL } from '../../session/testing/pair.ts';
import { methods } from '../../session/testing/stamped-calls.ts';
import { Call, Mount } from '../call.ts';
import { Consumer } from '../consumer.ts';
import { Inbox, type RpcHost } from '../inbox.ts';
import { type AnyHandler, Serving, toTransportError } from '../rpc.ts';

export const protocol = defineProtocol({
  name: 'calls',
  version: 1,
  channel: 0x20,
  methods: {
    ...methods,
    steady: { id: 6, request: bytes, download: bytes, timeout: 10_000 },
    fill: { id: 7, request: bytes, upload: bytes, response: bytes, timeout: 10_000 },
  },
});
const table = methodTable(protocol);
export type Name = keyof typeof protocol.methods;
export type Bytes = Uint8Array<ArrayBuffer>;
/** Waits for one turn of the event loop, so that promises settle. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

export const configOf = (timeout: number): RpcHost['config'] => ({
  timeout,
  interceptors: { client: [], server: [] },
});

/** Returns a transport at time 0, of which nothing else does anything, with changes. */
export const rpcHost = (changes: Partial<RpcHost> = {}): RpcHost => ({
  config: configOf(10_000),
  contexts: undefined,
  ticker: { now: () => 0 },
  timer: { by: () => {} },
  calls: { made: 0, served: 0 },
  alive: { enter: () => {}, leave: () => {} },
  reporter: { watch: undefined, callFailed: () => {}, count: () => {}, tell: () => {} },
  watchUnread: undefined,
  screen: undefined,
  readersChanged: () => {},
  relieve: () => {},
  ...changes,
});

/** Returns a mount on channel 0x20 of such a transport, with other hooks for its calls. */
export const mountOf = (changes: Partial<RpcHost>, hooks: Partial<Mount> = {}): Mount =>
  Object.assign(new Mount(protocol, rpcHost(changes)), hooks);

/** Returns the error of a call; undefined if it was answered. */
export const errorOf = ({ promise }: Call): Promise<TransportError> =>
  promise.then(
    () => undefined as never,
    (error: TransportError) => error,
  );

export const one = (number: number): Bytes => new Uint8Array([number]);

export interface Options {
  timeout?: number;
  signal?: AbortSignal;
  upload?: AsyncIterable<unknown>;
}

/** Two connected ends, both of which can call and serve. */
export class CallFixture {
  readonly pair: Pair;
  readonly settled: string[] = [];
  readonly failures: unknown[] = [];

  /** @param memory the memory figures of the acceptor, if other fixtures share them. */
  constructor(limits: Partial<SessionLimits> = {}, memory?: Memory) {
    const own = { limits: { ...SMALL, ...limits } };
    this.pair = new Pair([protocol], own, memory === undefined ? own : { ...own, memory }).open();
  }

  inbox(end: End): Inbox {
    const inbox = new Inbox(
      protocol,
      rpcHost({
        ticker: { now: () => this.pair.now },
        reporter: {
          ...rpcHost().reporter,
          tell: (event) =>
            event.type === 'callbackFailed' && void this.failures.push(event.callback),
        },
      }),
    );
    end.inbox = inbox;
    return inbox;
  }

  read(end: End): Consumer {
    return new Consumer(this.inbox(end), undefined);
  }

  serve(end: End, handlers: Partial<Record<Name, AnyHandler>>): Serving {
    return new Serving(this.inbox(end), new Map(Object.entries(handlers)), {
      concurrency: Number.POSITIVE_INFINITY,
      toError: toTransportError,
    });
  }

  call(end: End, name: Name, payload: Bytes, { timeout, signal, upload }: Options = {}): Call {
    const method = table.byName.get(name)!;
    const timer = { by: (time: number) => end.wakeBy(time) };
    const settled = (code?: string) => void this.settled.push(code ?? 'fine');
    const mount = mountOf({ ticker: { now: () => this.pair.now }, timer }, { settled });
    const call = new Call(mount, method, payload, 'there', { timeout, signal, upload });
    call.promise.catch(() => {});
    this.pair.start(end, call);
    return call;
  }

  /** Delivers bytes and settles promises until nothing more happens. */
  async rest(): Promise<void> {
    for (let round = 0; round < 50; round++) {
      this.pair.quiet();
      await turn();
      if (
        !this.pair.dialer.isDirty &&
        !this.pair.acceptor.isDirty &&
        this.pair.dialer.sent.length + this.pair.acceptor.sent.length === 0
      )
        return;
    }
  }
}
