// The server's half of resumption: a handler whose streams outlive their connections.

import {
  type Handler,
  type ItemInput,
  type Protocol,
  type Rpc,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import type { DownloadDefinition } from '@trunkline/transport-core/backend';
import { type DownloadName, downloadOf } from './download.ts';
import { keptAnswer, type ResumptionFailure, resumptionFailure } from './failures.ts';
import { parseResumableOptions, type ResumableOptions } from './resumable-options.ts';
import { StreamRun } from './stream-run.ts';
import { StreamTable } from './stream-table.ts';
import { readRequest } from './wire.ts';

/** A handler of a download whose streams can be continued; pass it to `serve`. */
export type Resumable<P extends Protocol, N extends DownloadName<P>> = Handler<P, N> & {
  /** The number of streams that are kept now. */
  readonly streams: number;
  /** The size of all items that are kept now, in encoded bytes. */
  readonly bytes: number;
  /**
   * The number of calls since the start: those that opened a stream, those that continued one
   * (`resumed`), and those that could do neither, by the reason. `replaced` and `unsupported` are
   * errors of other calls, so they stay 0.
   */
  readonly counts: Readonly<Record<'opened' | 'resumed' | ResumptionFailure, number>>;
  /**
   * Ends all streams: running handlers are aborted, and their callers get `unavailable`. This also
   * happens when the transport closes. Later calls open streams again.
   */
  close(): void;
};

/**
 * Wraps the handler of a download so that a client can continue the stream with `resume` after its
 * connection was lost. The handler runs once for a stream, not once for a connection:
 *
 * - `rpc.signal` aborts when the client leaves or has been away for `time`, but not when a
 *   connection is lost.
 * - `rpc.from` is the connection over which the stream was opened.
 * - Do not change an item after you have passed it on, because it may be sent again. (Bytes are
 *   copied.)
 *
 * If the client reads slowly or is away, `rpc.write` and the iterator of the handler wait, as in
 * any download. If you do not await `rpc.write`, the oldest items are dropped once a limit is
 * reached.
 *
 * Calls that were not made by `resume` go to the handler unchanged.
 *
 * @throws TypeError for a method that is not a download, and for invalid options.
 */
export function resumable<P extends Protocol, N extends DownloadName<P>>(
  transport: Pick<Transport<P>, 'protocol' | 'clock' | 'connections'>,
  method: N,
  handler: Handler<P, N>,
  options: ResumableOptions<ItemInput<P, N>> = {},
): Resumable<P, N> {
  const served = new ResumableHandler(transport, method, handler as unknown as AnyHandler, options);
  const face = (request: unknown, rpc: AnyRpc) => served.handle(request, rpc);
  return Object.defineProperties(face, {
    streams: { get: () => served.table.size },
    bytes: { get: () => served.table.bytes },
    counts: { get: () => ({ ...served.counts }) },
    close: { value: () => served.close() },
  }) as unknown as Resumable<P, N>;
}

type AnyProtocol = Protocol<{ download: DownloadDefinition }>;
type AnyHandler = Handler<AnyProtocol, 'download'>;
type AnyRpc = Rpc<AnyProtocol, 'download'>;

class ResumableHandler {
  readonly table: StreamTable<unknown>;
  readonly counts = {
    ...{ opened: 0, resumed: 0, gap: 0, unknown: 0, replaced: 0, full: 0, unsupported: 0 },
  };
  readonly #transport: Pick<Transport, 'connections'>;
  readonly #handler: AnyHandler;
  readonly #sizeOf: (item: unknown) => number;
  /**
   * The events of the transport, which show when it closes. Set while there are streams that must
   * end then.
   */
  #events: ReturnType<Transport['connections']> | undefined;

  constructor(
    transport: Pick<Transport, 'protocol' | 'clock' | 'connections'>,
    method: string,
    handler: AnyHandler,
    options: ResumableOptions<never>,
  ) {
    const definition = downloadOf(transport.protocol, method, 'resumable');
    if (typeof handler !== 'function')
      throw new TypeError(
        `resumable: the handler of '${method}' must be a function, got ${typeof handler}`,
      );
    const config = parseResumableOptions(options);
    this.table = new StreamTable(transport.clock, config);
    this.#transport = transport;
    this.#handler = handler;
    const { size } = config;
    this.#sizeOf =
      (size as ((item: unknown) => number) | undefined) ??
      ((item) => definition.download.encode(item).length);
  }

  /** Handles a call: opens a stream, continues one, or runs the handler without resumption. */
  handle(request: unknown, rpc: AnyRpc): unknown {
    const { request: asked, own } = readRequest(rpc.metadata);
    if (asked === undefined) return this.#handler(request, rpc);
    try {
      return this.#continue(asked, request, rpc, own);
    } catch (error) {
      const reason = resumptionFailure(error);
      if (reason !== undefined) this.counts[reason]++;
      throw error;
    }
  }

  #continue(
    { token, offset, isCheck }: NonNullable<ReturnType<typeof readRequest>['request']>,
    request: unknown,
    rpc: AnyRpc,
    own: AnyRpc['metadata'],
  ): unknown {
    if (isCheck) {
      this.table.get(token, rpc.from).check(offset ?? 0);
      throw keptAnswer();
    }
    const stream =
      offset === undefined ? this.table.find(token, rpc.from) : this.table.get(token, rpc.from);
    const items = stream?.attach(offset ?? 0, rpc.signal) ?? this.#open(token, request, rpc, own);
    this.counts[stream === undefined ? 'opened' : 'resumed']++;
    return items;
  }

  close(): void {
    this.table.close(new TransportError('unavailable', 'the server ends its streams'));
    const events = this.#events;
    this.#events = undefined;
    void events?.return?.();
  }

  #open(token: string, request: unknown, rpc: AnyRpc, metadata: AnyRpc['metadata']): unknown {
    const stream = this.table.open(token, rpc.from);
    void this.#follow();
    const items = stream.attach(0, rpc.signal);
    const { method, from, version } = rpc;
    const run = new StreamRun(stream, this.#sizeOf, { method, request, from, version, metadata });
    void run.run(this.#handler);
    return items;
  }

  /** Waits until the transport closes, and then ends the remaining streams. */
  async #follow(): Promise<void> {
    if (this.#events !== undefined) return;
    const events = this.#transport.connections();
    this.#events = events;
    for await (const _ of events);
    if (this.#events === events) this.close();
  }
}
