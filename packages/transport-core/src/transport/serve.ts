// Serves a transport's incoming calls with handlers. Below is `ownContext`, for handlers whose
// owner, such as gossip, enters their async context. Serving (rpc/rpc.ts) runs the handlers;
// rpc/serving.test.ts tests it, and transport-testkit tests `serve`.

import { contexts } from '#context';
import { LONGEST_DELAY } from '../clock.ts';
import {
  callback,
  functions,
  grace,
  number,
  optional,
  optionsSchema,
  parseOptions,
  withDefault,
} from '../config.ts';
import { TransportError } from '../errors.ts';
import type { AllowCall, ServerInterceptor } from '../interceptors.ts';
import type { Protocol } from '../protocol/protocol.ts';
import type { Inbox } from '../rpc/inbox.ts';
import { intercepted } from '../rpc/interceptors.ts';
import { type AnyHandler, marked, Serving } from '../rpc/rpc.ts';
import type { Handlers } from '../rpc/types.ts';
import { INBOX } from './protocol-transport.ts';
import type { Transport } from './types.ts';

/** Options of `serve`. */
export interface ServeOptions {
  /**
   * The number of handlers that may run at a time, at least 1. Default unlimited. Further calls
   * wait in the inbound queue.
   */
  readonly concurrency?: number | undefined;
  /**
   * Converts a value that a handler threw into the error that the caller gets. Use it to hide
   * details from callers. Default: the error of another call (a TransportError with a `target`) is
   * sent with a neutral text, see `RpcBase.fail`, any other TransportError as it is, and anything
   * else as `internal` with its message. The stack trace and the cause are never sent.
   */
  readonly toError?: ((error: unknown) => TransportError) | undefined;
  /**
   * Decides which calls to these methods a peer may make. Default: all. If the protocol was mounted
   * with a rule of its own, both must allow the call.
   */
  readonly allow?: AllowCall | undefined;
  /** Interceptors around the handlers, inside the transport's own interceptors. Default: none. */
  readonly interceptors?: readonly ServerInterceptor[] | undefined;
}

const serveOptions = optionsSchema({
  concurrency: withDefault(
    number((value) => value >= 1, 'a number, at least 1'),
    Number.POSITIVE_INFINITY,
  ),
  toError: optional(callback<NonNullable<ServeOptions['toError']>>()),
  allow: optional(callback<AllowCall>()),
  interceptors: withDefault(functions<ServerInterceptor>(), []),
});
const stopOptions = optionsSchema({ grace: withDefault(grace(), Number.POSITIVE_INFINITY) });

/** Running handlers, as returned by `serve`. */
export interface Server {
  /**
   * Stops taking calls, and resolves when all running handlers have finished, however long that
   * takes. Calls whose handlers still run after `grace` milliseconds (default: no limit) are
   * answered with `unavailable`, and their signals abort. May be called again. If a rule, a codec
   * or an observer calls it while it handles a call to this server, the handler does not get that
   * call: it is refused with `unimplemented`, or dropped if it is a one-way.
   */
  stop(options?: { readonly grace?: number | undefined }): Promise<void>;
}

/**
 * Serves any subset of a protocol's methods. Calls to these methods go only to the handlers; calls
 * to other methods go to `consumer()` readers. A call to a method without a reader is answered with
 * `unimplemented`: immediately if the protocol has any reader, otherwise after 1 s, or after half
 * of the call's time if that is less. A handler starts synchronously when its call is read, and
 * answers by returning. If it throws, the caller gets the error.
 *
 * A one-way holds its sender's credit until its handler has ended, that is, until the promise that
 * the handler returned has settled. So a handler that starts endless work must not return its
 * promise. At most `limits.calls` handlers of one-ways run at a time for one connection and
 * channel; further one-ways wait.
 *
 * In Node, each handler starts in the async context in which `serve` was called
 * (AsyncLocalStorage), and the stores that it sets are not seen by other handlers.
 *
 * On a transport or a mount that is closed, `serve` has no effect.
 *
 * @throws TypeError for an invalid option, an unknown method name, a handler that is not a
 * function, and a method that another reader names.
 */
export function serve<P extends Protocol>(
  transport: Transport<P>,
  handlers: Handlers<P>,
  options: ServeOptions = {},
): Server {
  const inbox = (transport as unknown as Record<symbol, Inbox | undefined>)[INBOX];
  if (inbox === undefined)
    throw new TypeError('serve: expected a transport that this library created');
  const { concurrency, toError, allow, ...own } = parseOptions(serveOptions, options, 'serve');
  const interceptors = [...inbox.interceptors, ...own.interceptors];
  const table = new Map<string, AnyHandler>();
  for (const [name, handler] of Object.entries<AnyHandler | undefined>(handlers as never)) {
    inbox.method(name, 'serve');
    if (handler === undefined) continue;
    if (typeof handler !== 'function')
      throw new TypeError(
        `serve: the handler of '${name}' must be a function, got ${typeof handler}`,
      );
    const bound: AnyHandler = (request, rpc) => handler.call(handlers, request, rpc);
    table.set(name, interceptors.length === 0 ? handler : intercepted(inbox, interceptors, bound));
  }
  const serving = new Serving(inbox, table, { self: handlers, concurrency, toError, allow });
  return {
    async stop(given = {}) {
      const { grace } = parseOptions(stopOptions, given, 'stop');
      const through = serving.stop();
      if (grace === Number.POSITIVE_INFINITY) return through;
      const { clock } = transport;
      const text = 'the server stopped before its handler had finished';
      const fail = () => serving.failRunning(new TransportError('unavailable', text));
      const timer = clock.setTimeout(fail, Math.min(grace, LONGEST_DELAY));
      await through;
      clock.clearTimeout(timer);
    },
  };
}

/**
 * For handlers whose owner enters the program's async context itself, once for many calls. Entering
 * it for each message would add a tenth to the time that gossip spends on a message.
 */
export const ownContext = {
  /** Captures the current context; the returned function runs work in it. */
  capture(): (work: () => void) => void {
    const context = contexts?.reader();
    if (context === undefined) return (work) => work();
    // A reader context passes three arguments on; this work takes none.
    return (work) => context(work, undefined, undefined, undefined);
  },

  /** Marks handlers that `serve` calls in the context in which their messages were read. */
  mark<H extends object>(handlers: H): H {
    marked.add(handlers);
    return handlers;
  },
};
