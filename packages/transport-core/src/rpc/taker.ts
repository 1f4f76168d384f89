// The interface of the readers of an inbox.

import type { ReaderContext } from '../context.ts';
import type { AllowCall } from '../interceptors.ts';
import type { IncomingRpc } from './rpc.ts';

/** A reader of calls: a server (`serve`) or a consumer. */
export interface Taker {
  /** The methods it takes; undefined means all methods that no other reader takes. */
  readonly methods: ReadonlySet<string> | undefined;
  /** True for a server (`serve`): no other reader may name its methods. */
  readonly exclusive: boolean;
  /** The context in which each of its calls starts; undefined if that does not matter. */
  readonly context?: ReaderContext | undefined;
  /** Decides which calls it gets. */
  readonly allow?: AllowCall | undefined;
  /** True if it could take another call now. */
  readonly ready: boolean;
  /**
   * True while it is being fed: if it becomes ready again meanwhile, the running loop continues.
   */
  feeding: boolean;
  /** Receives a decoded call, which belongs to this reader from now on. */
  take(call: IncomingRpc): void;
  /** Called when the transport or its mount closes. */
  close(): void;
}
