import { type ClientInterceptor, type Target, TransportError } from 'trunkline';

/**
 * Sends each call to the first of several targets that takes it. A call that a handler may have
 * seen is not repeated, nor is one with an upload, whose items can be read only once.
 */
export function failover(targets: readonly Target[]): ClientInterceptor {
  let last = 0; // the target that took the last call
  return (next) => async (call) => {
    const start = last;
    let tried = 0;
    const attempt = async (): Promise<unknown> => {
      const at = (start + tried++) % targets.length;
      call.target = targets[at]!;
      try {
        const result = await next(call);
        last = at;
        return result;
      } catch (error) {
        return again(error);
      }
    };
    /** Makes the call at the next target, or throws the error. */
    const again = (error: unknown) => {
      if (!mayRepeat(error) || tried === targets.length || call.upload !== undefined) throw error;
      return attempt();
    };
    const result = await attempt();
    return call.kind === 'download' ? items(result as AsyncIterable<unknown>, again) : result;
  };
}

/** Passes items on. A refusal comes in place of the first item, because `send` does not await it. */
async function* items(
  given: AsyncIterable<unknown>,
  again: (error: unknown) => Promise<unknown>,
): AsyncGenerator<unknown> {
  let hasBegun = false;
  try {
    for await (const item of given) {
      hasBegun = true;
      yield item;
    }
  } catch (error) {
    if (hasBegun) throw error;
    yield* items((await again(error)) as AsyncIterable<unknown>, again);
  }
}

function mayRepeat(error: unknown): boolean {
  if (!(error instanceof TransportError) || error.sent !== false) return false;
  return error.code === 'unavailable' || error.unreachable === true;
}
