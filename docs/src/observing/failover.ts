import { type ClientInterceptor, type Target, TransportError } from 'trunkline';

/**
 * Sends each call to the first of several targets that takes it. A call that a handler may have
 * seen is not repeated, nor is one with an upload, whose items can be read only once.
 */
export function failover(targets: readonly Target[]): ClientInterceptor {
  let first = 0; // the target that took the last call
  return (next) => async (call) => {
    const start = first;
    for (let tried = 1; ; tried++) {
      const at = (start + tried - 1) % targets.length;
      call.target = targets[at]!;
      try {
        const result = await next(call);
        first = at;
        return result;
      } catch (error) {
        const mayRepeat =
          error instanceof TransportError && error.code === 'unavailable' && error.sent === false;
        if (!mayRepeat || tried === targets.length || call.upload !== undefined) throw error;
      }
    }
  };
}
