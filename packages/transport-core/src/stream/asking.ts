// What is asked of the user before a connection is up, `resolve`, `hello` and `admit`, and what becomes of their failures.

import { type CommonConfig, type HelloFields, isHelloFields } from '../common-options.ts';
import { reasonError, TransportError, withDetails } from '../errors.ts';
import type { Applicant, Membership } from './membership.ts';

/** The address of a name that is dialled; `shown` stands for it in an error. */
export async function askResolve({ resolve }: CommonConfig, target: string, shown: string, address: string): Promise<string> {
  try {
    return await resolve!(address);
  } catch (error) {
    if (error instanceof TransportError) throw error;
    const text = error instanceof Error ? error.message : String(error);
    throw reasonError('host_not_found', `the 'resolve' option failed for '${shown}': ${text}`, { target, cause: error });
  }
}

/** What this end says of itself to a peer. @param failed why it can't be said, and what the option threw. */
export function askHello(
  { hello }: CommonConfig,
  target: string | undefined,
  then: (fields: HelloFields) => void,
  failed: (error: TransportError, cause: unknown) => void,
): void {
  if (typeof hello !== 'function') return then(hello ?? {});
  const fail = (error: unknown) => {
    const message = `this end's 'hello' option failed: ${error instanceof Error ? error.message : String(error)}`;
    failed(error instanceof TransportError ? error : new TransportError('unavailable', message, { cause: error }), error);
  };
  attempt(
    () => hello(target),
    (fields) => {
      if (isHelloFields(fields)) return then(fields);
      fail(new TypeError('the hello option gave no strings by name of at most 8 KiB in all'));
    },
    fail,
  );
}

/** Whether this end wants the peer, its `admit` option first; `refuse` gets what both ends see. */
export function askAdmit(
  { admit }: CommonConfig,
  membership: Membership | undefined,
  applicant: Applicant,
  agree: () => void,
  refuse: (error: TransportError) => void,
): void {
  const failed = (error: unknown) => refuse(refusal(error));
  const apply = membership === undefined ? agree : () => attempt(() => membership.admit(applicant), agree, failed);
  if (admit === undefined) return apply();
  attempt(() => admit(applicant.remote), apply, failed);
}

/** Why a dial failed after the stream was there, told as the stream layers tell theirs. */
export function unreachable({ code, message, reason, origin, metadata, cause }: TransportError, target: string): TransportError {
  return new TransportError(code, `Cannot connect to ${target}: ${message}`, { reason, origin, metadata, cause, target, sent: false });
}

/** Somebody else than the node that was dialled. */
export function mismatch(expected: string, { nodeId, endpoint }: { readonly nodeId?: string | undefined; readonly endpoint: string }): TransportError {
  const found = nodeId === undefined ? 'proved no id' : `proved to be ${nodeId}`;
  return reasonError('identity_mismatch', `node ${expected} was dialled, and who answered at ${endpoint} ${found}`);
}

/** What `admit` threw, as both ends see it. */
function refusal(error: unknown): TransportError {
  if (error instanceof TransportError) return withDetails(error, { reason: error.reason ?? 'refused', sent: false });
  return reasonError('refused', error instanceof Error ? error.message : String(error), { sent: false, cause: error });
}

/** Runs what may answer now or later, without a promise where it answers now. */
function attempt<T>(run: () => T | PromiseLike<T>, then: (value: T) => void, failed: (error: unknown) => void): void {
  let result: T | PromiseLike<T>;
  try {
    result = run();
  } catch (error) {
    return failed(error);
  }
  if (typeof (result as PromiseLike<T> | undefined)?.then === 'function') (result as PromiseLike<T>).then(then, failed);
  else then(result as T);
}
