// Decides about the client of an upgrade by its origin and by the option `upgrade`. Browsers hide
// the status of a refused upgrade from pages, so the WebSocket of a refused client is opened, and
// the connection is refused with an error that the client gets. upgrades.ts calls it. Tested in
// upgrades.test.ts and upgrade-hook.test.ts.

import type { IncomingMessage } from 'node:http';
import { type Observer, TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import { codeOfStatus } from './refused-upgrade.ts';
import type { UpgradeRequest } from './ws-options.ts';

/** The decision about a client, which its connection carries. */
export interface Admission {
  /** Why it is refused. */
  readonly refused?: TransportError | undefined;
  /** The data that `upgrade` returned, and the option itself, which shows whose data this is. */
  readonly attachment?: { readonly by: unknown; readonly data: unknown } | undefined;
}

export interface AdmissionRules {
  readonly origins: readonly string[] | undefined;
  readonly upgrade: ((request: UpgradeRequest) => unknown) | undefined;
  readonly observer: Observer | undefined;
}

/**
 * Passes the decision to `then`: now, or when the promise of `upgrade` has settled. This sets no
 * time limit; upgrades.ts does. If `then` throws at once, it is called again with a refusal.
 *
 * @param address the client's IP address.
 */
export function decide(
  message: IncomingMessage,
  address: string,
  rules: AdmissionRules,
  then: (admission: Admission) => void,
): void {
  const { url = '/', headers } = message;
  const { upgrade, observer } = rules;
  if (!isAllowed(message, rules))
    return then({ refused: reasonError('denied', 'the server refuses pages of this origin') });
  if (upgrade === undefined) return then({});
  const done = (data: unknown) => then({ attachment: { by: upgrade, data } });
  const failed = (error: unknown) => then({ refused: refusal(error, observer) });
  try {
    const data = upgrade({
      url,
      headers: headers as UpgradeRequest['headers'],
      address,
      raw: message,
    });
    if (typeof (data as PromiseLike<unknown> | undefined)?.then === 'function')
      void (data as PromiseLike<unknown>).then(done, failed);
    else done(data);
  } catch (error) {
    failed(error);
  }
}

/**
 * Returns true if the client is not a page, or a page of an allowed origin. Cookies travel from the
 * pages of all sites, so a server that reads them with `upgrade` by default allows only its own.
 */
function isAllowed(
  { headers, socket }: IncomingMessage,
  { origins, upgrade }: AdmissionRules,
): boolean {
  const origin = headers.origin ?? headers['sec-websocket-origin']?.toString();
  if (origin === undefined) return true;
  if (origins !== undefined) return origins.includes(origin) || origins.includes('*');
  // Any proxy is believed here: pages can't set this header, and it only makes the check stricter.
  const isSecure = 'encrypted' in socket || /^\s*https/i.test(`${headers['x-forwarded-proto']}`);
  return upgrade === undefined || isSame(origin, headers.host, isSecure);
}

/**
 * Returns true if a page's origin has the host and port of the `Host` header. Behind a proxy that
 * does not tell the scheme, this end does not know whether the page must have come over HTTPS.
 */
function isSame(origin: string, host: string | undefined, isSecure: boolean): boolean {
  const scheme = /^https?:/.exec(origin)?.[0];
  if (scheme === undefined || (isSecure && scheme === 'http:')) return false;
  try {
    return new URL(origin).host === new URL(`${scheme}//${host}`).host;
  } catch {
    return false;
  }
}

/** Converts the value that `upgrade` threw into the error that both ends see. */
function refusal(thrown: unknown, observer: Observer | undefined): TransportError {
  if (thrown instanceof TransportError)
    return new TransportError(thrown.code, thrown.message, { reason: thrown.reason ?? 'refused' });
  // A Response, or an error of http-errors, which Express, Koa and Fastify use.
  const { status, message, statusText } = (thrown ?? {}) as Record<string, unknown>;
  const reason = 'refused';
  if (typeof status === 'number')
    return new TransportError(
      codeOfStatus(status).as,
      `the server refused the upgrade: ${message || statusText || `HTTP ${status}`}`,
      { reason },
    );
  try {
    observer?.event?.({ type: 'callbackFailed', callback: 'upgrade', error: thrown });
  } catch {
    // An observer that throws is ignored.
  }
  return new TransportError('unavailable', 'the server could not check the upgrade', { reason });
}
