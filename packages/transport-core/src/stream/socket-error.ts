// Translates the error codes of operating systems: the one table for all layers on sockets.

import { type ErrorCode, type ErrorReason, TransportError } from '../errors.ts';

/** The action that failed: the same code has a different meaning and remedy for each action. */
export type SocketAction = 'dial' | 'listen' | 'accept' | 'connection';

/**
 * Converts a socket error (`code: 'ECONNREFUSED'` …) into a TransportError that names the address
 * and a remedy. The original is its `cause`.
 */
export function socketError(error: unknown, action: SocketAction, address: string): TransportError {
  const code = codeOfError(error);
  const { as, reason, text } = meaning(code, action);
  return new TransportError(
    as,
    `${SUBJECTS[action]} ${address}: ${text} (${code ?? String(error)})`,
    { reason, target: address, cause: error },
  );
}

interface SocketErrorMeaning {
  as: ErrorCode;
  reason?: ErrorReason;
  text: string;
}

function meaning(code: string | undefined, action: SocketAction): SocketErrorMeaning {
  switch (code) {
    case 'ECONNREFUSED':
      return {
        as: 'unavailable',
        reason: 'connection_refused',
        text: 'nothing listens on this address; check that the peer is running and the port is right',
      };
    case 'ENOTFOUND':
    case 'EAI_NONAME':
    case 'EAI_NODATA':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
      return {
        as: 'unavailable',
        reason: 'host_not_found',
        text: 'the host name has no address; check its spelling and the name server',
      };
    case 'EADDRINUSE':
      return {
        as: 'unavailable',
        reason: 'address_in_use',
        text: 'another process listens on this address; stop it, or bind another port (0 picks a free one)',
      };
    case 'EADDRNOTAVAIL':
      if (action !== 'listen')
        return { as: 'unavailable', text: 'no local address or port is free for the connection' };
      return {
        as: 'invalid_argument',
        text: 'this machine has no such address; bind one of its own, or 0.0.0.0 with an advertiseAddr',
      };
    case 'EACCES':
    case 'EPERM':
      if (action !== 'listen')
        return {
          as: 'unavailable',
          text: 'a firewall or a route of this machine forbids it; check them',
        };
      return {
        as: 'permission_denied',
        text: 'this user may not bind this port; choose one above 1023',
      };
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOBUFS':
    case 'ENOMEM':
      return {
        as: 'resource_exhausted',
        text: 'the process or the system has no file descriptor or memory left for a socket; raise the limit (ulimit -n)',
      };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'ENETDOWN':
      return { as: 'unavailable', text: 'no network route leads to this address' };
    case 'ETIMEDOUT':
      if (action === 'dial')
        return { as: 'unavailable', reason: 'dial_timeout', text: 'no answer' };
      return { as: 'unavailable', reason: 'reset', text: 'the other end no longer answers' };
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECONNABORTED':
      return { as: 'unavailable', reason: 'reset', text: 'the other end reset the connection' };
    case 'EINVAL':
    case 'EAFNOSUPPORT':
      if (action !== 'listen')
        return {
          as: 'unavailable',
          text: 'the system cannot use this address; IPv6 may be turned off, or if the address is link-local, its zone (%eth0) is not an interface of this machine',
        };
      return { as: 'invalid_argument', text: 'the system does not support this address' };
    default:
      return { as: 'unavailable', text: 'it failed' };
  }
}

/**
 * Returns Node's error code. If several attempts were made for one name (an AggregateError),
 * returns the first code found.
 */
function codeOfError(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, errors } = error as { code?: unknown; errors?: unknown };
  if (typeof code === 'string') return code;
  return Array.isArray(errors)
    ? errors.map(codeOfError).find((each) => each !== undefined)
    : undefined;
}

const SUBJECTS: Record<SocketAction, string> = {
  dial: 'Cannot connect to',
  listen: 'Cannot listen on',
  accept: 'Cannot accept on',
  connection: 'Connection with',
};
