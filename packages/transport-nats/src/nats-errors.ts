// Translates the errors of the NATS client into TransportErrors.

import { type ErrorCode, type ErrorReason, TransportError } from '@trunkline/transport-core';
import { cleanText, socketError } from '@trunkline/transport-core/backend';

/** The action that failed. */
export type NatsAction = 'connect' | 'lost' | 'subscribe' | 'publish';

/**
 * Converts an error of the NATS client, and returns a TransportError unchanged. `where` is the
 * server, or the subject of 'subscribe' and 'publish', which are meant for missing permissions.
 */
export function natsError(cause: unknown, action: NatsAction, where: string): TransportError {
  if (cause instanceof TransportError) return cause;
  const [code, reason, text] = meaning(cause, action, where);
  return new TransportError(code, text, { reason, target: where, cause });
}

function meaning(
  cause: unknown,
  action: NatsAction,
  where: string,
): [ErrorCode, ErrorReason | undefined, string] {
  const name = nameOf(cause);
  if (name === 'PermissionViolationError') {
    const verb = action === 'publish' ? 'publish to' : 'subscribe to';
    return [
      'permission_denied',
      undefined,
      `The NATS server forbids this node to ${verb} '${where}': allow the subject in the permissions of its user`,
    ];
  }
  if (name === 'AuthorizationError' || name === 'UserAuthenticationExpiredError')
    return [
      'unauthenticated',
      undefined,
      `The NATS server ${where} refuses this node: ${textOf(cause)}; check user, pass, token or authenticator`,
    ];
  if (action === 'lost')
    return [
      'unavailable',
      'reset',
      `The connection to the NATS server ${where} was lost${cause === undefined ? '' : ` (${textOf(cause)})`}`,
    ];
  if (/connection refused/i.test(textOf(cause)))
    return [
      'unavailable',
      'connection_refused',
      `Cannot connect to the NATS server ${where}: nothing listens on this address; check that nats-server is running and the port is right`,
    ];
  if (/timeout/i.test(name))
    return [
      'unavailable',
      'dial_timeout',
      `Cannot connect to the NATS server ${where}: it does not answer; check the address and the firewall, or raise connectTimeout`,
    ];
  const { code, reason } = socketError(causeOf(cause), 'dial', where);
  return [code, reason, `Cannot connect to the NATS server ${where}: ${textOf(cause)}`];
}

/** Returns the socket error behind an error of the client, if there is one. */
function causeOf(error: unknown): unknown {
  const { cause } = (error ?? {}) as { cause?: unknown };
  return cause ?? error;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** Returns the text of an error, which may contain what the server has sent. */
function textOf(error: unknown): string {
  return cleanText(error instanceof Error ? error.message || error.name : String(error));
}
