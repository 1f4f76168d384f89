// A client of the node that runs it: it calls the handlers directly, without a connection.

import type { CallOptions, Client, Codec, Handlers } from '@trunkline/transport-core';
import { adminProtocol } from './protocol.ts';

type Admin = typeof adminProtocol;
type Handler = (request: unknown, rpc: { readonly signal: AbortSignal }) => unknown;

/**
 * Returns a client that calls the handlers. Requests are checked as those of other nodes are. Calls
 * ignore `timeout` and `metadata`, and reject with the handler's own error, which may be one that
 * is no TransportError.
 */
export function localClient(handlers: Handlers<Admin>): Client<Admin> {
  const methods = Object.entries(handlers).map(([name, handle]) => {
    const codec = adminProtocol.methods[name as keyof Admin['methods']].request as Codec<unknown>;
    const call = async (request: unknown, { signal }: CallOptions = {}) => {
      const checked = codec.decode(codec.encode(request));
      return (handle as unknown as Handler)(checked, { signal: signal ?? NEVER });
    };
    return [name, call];
  });
  return Object.fromEntries(methods) as Client<Admin>;
}

/** The signal of a call that nobody can cancel. */
const NEVER = new AbortController().signal;
