// The state of the page: the moments, the shown moment, and the shown part of the network.

import { History, type Moment } from '../model/history.ts';
import type { NetworkState } from '../network-state.ts';
import type { Action } from '../protocol.ts';
import { Feed, type FeedListener } from './feed.ts';

/** The views of the page, in the order of its navigation. */
export const VIEWS = [
  'network',
  'calls',
  'topics',
  'peers',
  'queues',
  'errors',
  'node',
  'compare',
] as const;
export type View = (typeof VIEWS)[number];

/** The state of the connection to the dashboard. */
export interface Status {
  readonly kind: 'connecting' | 'live' | 'lost' | 'refused';
  readonly text: string;
}

/** The state of the page. Its methods change it, and notify the listener. */
export class Session implements FeedListener {
  readonly history: History = new History();
  readonly #url: string;
  readonly #listener: () => void;
  #feed: Feed | undefined;
  #token = '';
  #status: Status = { kind: 'connecting', text: 'connecting…' };
  #view: View = 'network';
  #node: string | undefined;
  /** The time that is shown; undefined for the newest. */
  #cursor: number | undefined;
  /** The time to compare with. */
  #mark: number | undefined;
  #notice = '';

  constructor(url: string, listener: () => void) {
    this.#url = url;
    this.#listener = listener;
  }

  /** The token that the page presented last. */
  get token(): string {
    return this.#token;
  }

  get status(): Status {
    return this.#status;
  }

  get view(): View {
    return this.#view;
  }

  /** The node that the views show; undefined for all. */
  get node(): string | undefined {
    return this.#node;
  }

  get isLive(): boolean {
    return this.#cursor === undefined;
  }

  /** The result of the last change of a node. */
  get notice(): string {
    return this.#notice;
  }

  /** The index of the shown moment; -1 before the first. */
  get index(): number {
    const { moments } = this.history;
    return this.#cursor === undefined ? moments.length - 1 : this.history.indexAt(this.#cursor);
  }

  /** The shown moment; undefined before the first. */
  get moment(): Moment | undefined {
    return this.history.moments[this.index];
  }

  /** The moment at which the rates begin: about two seconds before the shown one. */
  get before(): Moment | undefined {
    const { moment, index } = this;
    if (moment === undefined || index < 1) return undefined;
    return this.history.moments[Math.min(index - 1, this.history.indexAt(moment.at - RATE_SPAN))];
  }

  /** The moment to compare with; undefined if none is marked. */
  get marked(): Moment | undefined {
    return this.#mark === undefined
      ? undefined
      : this.history.moments[this.history.indexAt(this.#mark)];
  }

  /** Connects with a token. */
  open(token: string): void {
    this.#token = token;
    this.#status = { kind: 'connecting', text: 'connecting…' };
    this.#feed = new Feed(this.#url, token, this);
    void this.#feed.run();
    this.#listener();
  }

  changed(network: NetworkState, values: number): void {
    const last = this.history.moments.at(-1);
    if (last !== undefined && network.at < last.at) {
      this.history.clear();
      this.#cursor = undefined;
      this.#mark = undefined;
    }
    this.history.add(network, values);
    this.#status = { kind: 'live', text: 'live' };
    this.#listener();
  }

  lost(text: string): void {
    this.#status = { kind: 'lost', text };
    this.#listener();
  }

  refused(text: string): void {
    this.#status = { kind: 'refused', text };
    this.#listener();
  }

  show(view: View): void {
    this.#view = view;
    this.#listener();
  }

  /** Limits the views to a node, or shows all. */
  select(node: string | undefined): void {
    this.#node = node;
    this.#listener();
  }

  /**
   * Shows the moment with an index. The index of the last moment makes the page follow the newest
   * moment from now on.
   */
  seek(index: number): void {
    const { moments } = this.history;
    this.#cursor = index >= moments.length - 1 ? undefined : moments[Math.max(0, index)]?.at;
    this.#listener();
  }

  /** Marks the moment with an index as the one to compare with; undefined removes the mark. */
  mark(index: number | undefined): void {
    this.#mark = index === undefined ? undefined : this.history.moments[index]?.at;
    this.#listener();
  }

  /** Changes a node, and shows the result as the notice. */
  async change(node: string, action: Action, request: Record<string, unknown>): Promise<void> {
    this.#notice = `${action}…`;
    this.#listener();
    try {
      await this.#feed?.change(node, action, request);
      this.#notice = `${action}: done`;
    } catch (error) {
      this.#notice = `${action}: ${error instanceof Error ? error.message : String(error)}`;
    }
    this.#listener();
  }
}

/** Milliseconds over which rates are averaged. */
const RATE_SPAN = 2_000;
