// The administration of a node: it records what happens, and serves it to tools.

import { createMetrics, type Metrics } from '@trunkline/telemetry';
import {
  type AllowCall,
  type Client,
  combineObservers,
  type Handlers,
  type Observer,
  serve,
  type Target,
  type Transport,
} from '@trunkline/transport-core';
import { refuseUnknown } from '@trunkline/transport-core/backend';
import { actions } from './actions.ts';
import { type AdminEvent, adminEvent, isTopicEvent } from './events.ts';
import { localClient } from './local-client.ts';
import { adminProtocol, type NodeStateChange } from './protocol.ts';
import { Recorder } from './recorder.ts';
import { ErrorLog } from './state/error-log.ts';
import type { JsonObject } from './state/merge-patch.ts';
import { Sampler } from './state/sampler.ts';
import type { AdminSources } from './state/sources.ts';
import { Watchers } from './watchers.ts';

/** Options of {@link createAdmin}; `allow` is required. */
export interface AdminOptions {
  /**
   * Decides for each method which peers may call it. This rule is required, because the state shows
   * addresses, node ids and texts of errors. `() => true` allows everybody.
   */
  readonly allow: AllowCall;
  /**
   * False to let the peers that `allow` admits change the node: disconnect, ban, drain, and set the
   * level of the log. Default true.
   */
  readonly readonly?: boolean | undefined;
  /**
   * The node's metrics, if it has any; then pass `metrics.observer` to the transport as well, with
   * `combineObservers`. Default: new ones, which `observer` includes.
   */
  readonly metrics?: Metrics | undefined;
  /**
   * The largest number of `watch` and `events` calls at a time, at least 1. Default 16. If all are
   * taken, a new call replaces the oldest of the tool that has the most, provided that this tool
   * has at least two more than the caller; otherwise the call is refused. A call that is refused or
   * replaced fails with `resource_exhausted`. A tool is identified by its proven node id, otherwise
   * by the source of its endpoint (its IPv4 address or /64 network).
   */
  readonly watchers?: number | undefined;
}

/** The administration of a node. */
export interface Admin {
  /** Pass it as the `observer` of the node's transport. */
  readonly observer: Observer;
  /**
   * Mounts `trunkline.admin` on a transport, and answers its calls. Returns a function that ends
   * this. If it is called again for another transport, `client` and the times of events use that
   * transport from then on.
   *
   * @throws TypeError if the transport has the protocol already, the level of `log` is not a
   * string, or `sources` has unknown members.
   */
  serve(sources: AdminSources): () => Promise<void>;
  /**
   * Returns a client of `trunkline.admin`. With a target, it is a client of another node, over the
   * transport that was passed to `serve`. Without a target, it is a client of this node itself and
   * needs no connection. `allow` does not apply to this node's own client, but `readonly` does. It
   * ignores the call options `timeout` and `metadata`. Throws a TypeError if `serve` was not called
   * before.
   */
  client(target?: Target | undefined): Client<typeof adminProtocol>;
}

/**
 * Creates the administration of a node. Throws a TypeError if `allow` is missing or another option
 * is invalid. No tool sees anything before `serve` is called.
 */
export function createAdmin(options: AdminOptions): Admin {
  return new NodeAdmin(options);
}

class NodeAdmin implements Admin {
  readonly observer: Observer;
  readonly #allow: AllowCall;
  readonly #readonly: boolean;
  readonly #metrics: Metrics;
  readonly #watchers: Watchers;
  readonly #errors = new ErrorLog();
  readonly #recorder = new Recorder(this.#errors);
  /** Set by `serve`. */
  #served:
    | {
        readonly mount: Transport<typeof adminProtocol>;
        readonly local: Client<typeof adminProtocol>;
      }
    | undefined;

  constructor(options: AdminOptions) {
    refuseUnknown(options, 'createAdmin', ['allow', 'readonly', 'metrics', 'watchers']);
    const { allow, readonly = true, metrics, watchers = 16 } = options;
    if (typeof allow !== 'function')
      throw new TypeError(
        'createAdmin: allow must be a function that decides which peers may see this node; () => true allows all',
      );
    if (!(Number.isInteger(watchers) && watchers >= 1))
      throw new TypeError(`createAdmin: watchers must be an integer above 0, got ${watchers}`);
    this.#allow = allow;
    this.#readonly = readonly;
    this.#metrics = metrics ?? createMetrics();
    this.#watchers = new Watchers(watchers);
    this.observer =
      metrics === undefined
        ? combineObservers(this.#metrics.observer, this.#recorder)
        : this.#recorder;
  }

  serve(sources: AdminSources): () => Promise<void> {
    refuseUnknown(sources, 'admin.serve', ['transport', 'peers', 'gossip', 'log']);
    const { transport, log } = sources;
    if (log !== undefined && typeof log.level !== 'string')
      throw new TypeError(
        `admin.serve: log must have its level as a string, as loggers of pino and winston have, got a ${typeof log.level}`,
      );
    const mount = transport.mount(adminProtocol, { allow: this.#allow });
    this.#recorder.useClock(transport.clock);
    const sampler = new Sampler(sources, this.#metrics, this.#errors, this.#readonly);
    const handlers: Handlers<typeof adminProtocol> = {
      watch: ({ interval = 1_000 }, { from, signal }) =>
        this.#watchers.counted(from, signal, (own) => this.#watch(sampler, sources, interval, own)),
      events: (_, { from, signal }) =>
        this.#watchers.counted(from, signal, (own) => this.#events(sources, own)),
      ...actions(sources, this.#readonly),
    };
    serve(mount, handlers);
    this.#served = { mount, local: localClient(handlers) };
    return () => mount.close();
  }

  client(target?: Target): Client<typeof adminProtocol> {
    if (this.#served === undefined)
      throw new TypeError('admin.client: call admin.serve with the transport of the node first');
    return target === undefined ? this.#served.local : this.#served.mount.to(target);
  }

  /**
   * Yields changes of the state. A slow reader gets fewer and larger changes, because the next
   * state is taken only after the reader has taken the last change.
   */
  async *#watch(
    sampler: Sampler,
    { transport: { clock } }: AdminSources,
    interval: number,
    signal: AbortSignal,
  ): AsyncGenerator<NodeStateChange, void> {
    let state: JsonObject = NOTHING;
    await this.#watchers.turn(clock, signal);
    let due = clock.now();
    while (!signal.aborted) {
      const next = sampler.sample();
      const patch = sampler.difference(state, next);
      if (patch !== undefined) {
        state = next;
        const at = next['at'] as number;
        for (const part of sampler.parts(patch)) yield { at, ...part };
      }
      due = Math.max(due + interval, clock.now());
      await clock.sleep(due - clock.now(), signal).catch(() => {});
    }
  }

  async *#events(
    { peers, gossip }: AdminSources,
    signal: AbortSignal,
  ): AsyncGenerator<AdminEvent, void> {
    const { hub, leave } = this.#recorder.follow();
    const reader = hub.follow([adminEvent(this.#recorder.now, 'admin', { type: 'started' })]);
    const sources = [
      this.#forward('peers', peers?.events(), () => true, hub),
      this.#forward('gossip', gossip?.events(), isTopicEvent, hub),
    ];
    const end = () => {
      leave();
      for (const source of sources) source();
    };
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    try {
      for await (const event of reader) yield event;
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  }

  /** Passes the events of a part on to a reader. Returns a function that stops this. */
  #forward(
    source: 'peers' | 'gossip',
    events: AsyncIterableIterator<unknown> | undefined,
    isWanted: (event: { readonly type: string }) => boolean,
    hub: { tell(event: AdminEvent): void },
  ): () => void {
    if (events === undefined) return () => {};
    const forward = async () => {
      for await (const event of events as AsyncIterable<{ readonly type: string }>)
        if (isWanted(event)) hub.tell(adminEvent(this.#recorder.now, source, event));
    };
    // Iterators of events never reject; they end when their part ends.
    void forward().catch(() => {});
    return () => void events.return?.();
  }
}

const NOTHING: JsonObject = {};
