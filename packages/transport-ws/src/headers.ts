// The headers that a client in Node sends with its upgrades. Tested in upgrade-hook.test.ts.

import { TransportError } from '@trunkline/transport-core';

type Headers = Readonly<Record<string, string | undefined>>;

/**
 * Returns the headers of one dial.
 *
 * @throws TransportError `invalid_argument` if the function of the option fails, or HTTP forbids
 * what it returns; a TransportError of the function is rethrown.
 */
export function readHeaders(headers: Headers | (() => Headers)): Record<string, string> {
  try {
    return checkHeaders(typeof headers === 'function' ? headers() : headers);
  } catch (cause) {
    if (cause instanceof TransportError) throw cause;
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new TransportError('invalid_argument', `this end's 'headers' option failed: ${text}`, {
      cause,
    });
  }
}

/** Returns the headers that are set. Throws a TypeError for those that HTTP forbids. */
export function checkHeaders(headers: Headers): Record<string, string> {
  const prototype = Object(headers) === headers && Object.getPrototypeOf(headers);
  if (prototype !== Object.prototype && prototype !== null)
    throw new TypeError("headers: must be an object of strings, such as { cookie: 'session=…' }");
  const set = Object.entries(headers).filter(([, value]) => value !== undefined);
  for (const [name, value] of set)
    if (!NAME.test(name) || typeof value !== 'string' || !VALUE.test(value))
      throw new TypeError(`headers: HTTP forbids the name or the value of '${name}'`);
  return Object.fromEntries(set) as Record<string, string>;
}

/** Names and values of RFC 9110, sections 5.1 and 5.5. */
const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
