// Calls the user's `resolve`, `hello` and `admit` options before a connection is up, and converts
// their failures.

import { type CommonConfig, helloFields } from '../common-options.ts';
import { reasonError, stackless, TransportError, withDetails } from '../errors.ts';
import type { Remote } from '../remote.ts';
import type { ResolveFunction } from '../resolver.ts';
import type { Hello } from '../wire/hello.ts';
import { type ListedAddress, readAddresses } from './address-list.ts';
import type { Membership, PendingConnection } from './membership.ts';

/**
 * Calls the user's function that resolves the address of a target. Returns the address to dial, or
 * a list of addresses. `shown` stands for the target in an error.
 */
export async function askResolve(
  resolve: ResolveFunction,
  target: string,
  shown: string,
  address: string,
): Promise<string | readonly ListedAddress[]> {
  try {
    const result = (await resolve(address)) ?? address;
    return typeof result === 'string' ? result : readAddresses(result);
  } catch (error) {
    if (error instanceof TransportError) throw error;
    const text = error instanceof Error ? error.message : String(error);
    throw reasonError('host_not_found', `the 'resolve' option failed for '${shown}': ${text}`, {
      target,
      cause: error,
    });
  }
}

/**
 * Gets the fields that this end sends in its hello.
 *
 * @param failed receives the error for the peer, and the value that the option threw.
 */
export function askHello(
  { hello, name }: CommonConfig,
  target: string | undefined,
  give: (fields: Readonly<Record<string, string>>) => void,
  failed: (error: TransportError, cause: unknown) => void,
): void {
  const then: typeof give = (fields) => give(name === undefined ? fields : { name, ...fields });
  if (typeof hello !== 'function') return then((hello ?? {}) as Record<string, string>);
  const fail = (error: unknown) => {
    const message = `this end's 'hello' option failed: ${error instanceof Error ? error.message : String(error)}`;
    failed(
      error instanceof TransportError
        ? withDetails(error, OWN)
        : new TransportError('unavailable', message, { ...OWN, cause: error }),
      error,
    );
  };
  attempt(
    () => hello(target),
    (fields) => {
      let checked: Readonly<Record<string, string>>;
      try {
        checked = helloFields(fields);
      } catch (error) {
        return fail(error);
      }
      then(checked);
    },
    fail,
  );
}

/**
 * Asks the `admit` option, then the membership, whether to admit a peer.
 *
 * @param agree receives the features that this end lists in its answer.
 * @param refuse receives the error that both ends see.
 */
export function askAdmit(
  { admit }: CommonConfig,
  membership: Membership | undefined,
  peer: { readonly remote: Remote; readonly target: string | undefined; readonly hello: Hello },
  agree: (features: readonly string[]) => void,
  refuse: (error: TransportError) => void,
): void {
  const { remote, target, hello } = peer;
  const failed = (error: unknown) => refuse(refusal(error));
  const apply = () => {
    if (membership === undefined) return agree(NONE);
    const { nodeId: claim, protocols, features } = hello;
    const pending: PendingConnection = {
      remote,
      claim,
      protocols,
      target,
      features,
      answer: NONE,
    };
    attempt(
      () => membership.admit(pending),
      () => agree(pending.answer),
      failed,
    );
  };
  if (admit === undefined) return apply();
  attempt(() => admit(remote), apply, failed);
}

/**
 * Returns the error of a dial that failed after the stream was open, phrased like the errors of
 * stream layers.
 */
export function unreachable(
  { code, message, reason, origin, metadata, cause, unreachable }: TransportError,
  target: string,
): TransportError {
  return stackless(code, `Cannot connect to ${target}: ${message}`, {
    reason,
    origin,
    metadata,
    cause,
    target,
    sent: false,
    unreachable,
  });
}

/** Returns the error for a peer that is not the dialed node. */
export function mismatch(
  expected: string,
  { nodeId, endpoint }: { readonly nodeId?: string | undefined; readonly endpoint: string },
): TransportError {
  const found = nodeId === undefined ? 'proved no id' : `proved to be ${nodeId}`;
  return reasonError(
    'identity_mismatch',
    `node ${expected} was dialed, but the peer that answered at ${endpoint} ${found}`,
  );
}

/** Converts the value that `admit` threw into the error that both ends see. */
function refusal(error: unknown): TransportError {
  if (error instanceof TransportError && error.target !== undefined)
    // The peer must not see the target of another call, nor the text of its error.
    error = new TransportError('internal', 'another call that admit made has failed', {
      cause: error,
    });
  if (error instanceof TransportError)
    return withDetails(error, { reason: error.reason ?? 'refused', sent: false });
  return reasonError('refused', error instanceof Error ? error.message : String(error), {
    sent: false,
    cause: error,
  });
}

/** Calls a function that may return a value or a promise; creates no promise for a plain value. */
function attempt<T>(
  run: () => T | PromiseLike<T>,
  then: (value: T) => void,
  failed: (error: unknown) => void,
): void {
  let result: T | PromiseLike<T>;
  try {
    result = run();
  } catch (error) {
    return failed(error);
  }
  if (typeof (result as PromiseLike<T> | undefined)?.then === 'function')
    (result as PromiseLike<T>).then(then, failed);
  else then(result as T);
}

const NONE: readonly string[] = [];
/** Marks the error of a dial that this end itself has caused. */
const OWN = { unreachable: false } as const;
