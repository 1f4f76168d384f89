// The connection to the dashboard: the states of the network as they come, and changes of nodes.

import {
  type Client,
  createTransport,
  systemClock,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { ws } from '@trunkline/transport-ws';
import { applyPatch } from '../../state/merge-patch.ts';
import { cleanPatch } from '../model/clean-patch.ts';
import type { NetworkState } from '../network-state.ts';
import { type Action, dashboardProtocol } from '../protocol.ts';

/** Receives the events of the feed. */
export interface FeedListener {
  /** The state has changed; `values` is the number of changed values. */
  changed(network: NetworkState, values: number): void;
  /** The connection was lost; the feed will connect again. */
  lost(text: string): void;
  /** The token is wrong or missing; the feed has ended. */
  refused(text: string): void;
}

/** The page's connection to the dashboard. */
export class Feed {
  readonly #transport: Transport<typeof dashboardProtocol>;
  readonly #client: Client<typeof dashboardProtocol>;
  readonly #listener: FeedListener;

  constructor(url: string, token: string, listener: FeedListener) {
    this.#transport = createTransport({
      protocol: dashboardProtocol,
      backends: [ws()],
      hello: { token },
    });
    this.#client = this.#transport.to(url);
    this.#listener = listener;
  }

  /** Follows the states; connects again when the connection is lost. Never rejects. */
  async run(): Promise<void> {
    for (;;) {
      try {
        await this.#follow();
        this.#listener.lost('the dashboard has ended');
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        if (error instanceof TransportError && error.code === 'unauthenticated') {
          await this.#transport.close();
          return this.#listener.refused(text);
        }
        this.#listener.lost(text);
      }
      await systemClock.sleep(PAUSE);
    }
  }

  /** Changes a node. Rejects with the error of the node or of the dashboard. */
  async change(node: string, action: Action, request: Record<string, unknown>): Promise<void> {
    await this.#client.change({ node, action, request });
  }

  async #follow(): Promise<void> {
    let state: unknown = {};
    let values = 0;
    for await (const { more, patch } of await this.#client.watch({})) {
      const clean = cleanPatch(patch);
      state = applyPatch(state, clean.patch);
      values += clean.values;
      if (more) continue;
      this.#listener.changed(state as NetworkState, values);
      values = 0;
    }
  }
}

/** Milliseconds before the page connects again. */
const PAUSE = 1_500;
