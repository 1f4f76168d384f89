// `createTransport` with backends by default.

import type { Backend, Protocol } from '@trunkline/transport-core';
import * as core from '@trunkline/transport-core';
import type { ComposedTransport } from '@trunkline/transport-core/backend';
import { defaultBackends } from '#backends';

/** Options of `createTransport`; `protocol` is required. */
export interface CreateTransportOptions<
  P extends Protocol,
  B extends readonly Backend[] = readonly Backend[],
> extends Omit<core.CreateTransportOptions<P, B>, 'backends'> {
  /**
   * The backends that the transport may use: `[tcp(), ws()]`. A target whose scheme has no backend
   * fails with `invalid_argument`, which names the available schemes. Default: `tcp()`, `ws()` and
   * one `inmem()` that all transports of the process with default backends share; in a browser
   * `ws()` and `inmem()`.
   */
  readonly backends?: B | undefined;
}

/**
 * Creates a transport whose `listen` binds these addresses (one, a list, or one string with commas)
 * and which dials any target by its scheme.
 *
 * @throws TypeError for invalid options, and for an `advertiseAddr` that this transport or other
 * machines can't dial; `invalid_argument` for an address to listen on that no backend understands.
 */
export function createTransport<
  P extends Protocol,
  B extends readonly Backend[] = readonly Backend[],
>(
  addresses: string | readonly string[],
  options: CreateTransportOptions<P, B>,
): ComposedTransport<P, B>;
/** Creates a transport that only dials. Throws as the other overload does. */
export function createTransport<
  P extends Protocol,
  B extends readonly Backend[] = readonly Backend[],
>(options: CreateTransportOptions<P, B>): ComposedTransport<P, B>;
export function createTransport<P extends Protocol>(
  ...given:
    | [addresses: string | readonly string[], options: CreateTransportOptions<P>]
    | [options: CreateTransportOptions<P>]
): core.Transport<P> {
  const options = given.at(-1);
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    return core.createTransport(...(given as never as [never, never]));
  const { backends = defaultBackends(), ...others } = options as CreateTransportOptions<P>;
  const complete = { ...others, backends };
  return given.length === 1
    ? core.createTransport(complete)
    : core.createTransport(given[0] as string | readonly string[], complete);
}
