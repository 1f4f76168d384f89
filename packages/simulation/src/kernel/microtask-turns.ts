// Runs a loop that waits for turns of the microtask queue. A simulation waits for many turns after
// each event. A generator that yields its waits costs less than an async function, because no wait
// needs a promise.

/**
 * A wait of a loop: for a number of turns of the microtask queue (at least 1), or for a promise.
 */
export type LoopWait = number | Promise<void>;

/**
 * Runs a loop with its waits, and resolves with its result. A wait for turns takes exactly as long
 * as that many `await undefined`.
 */
export function runLoop<T>(loop: Generator<LoopWait, T, void>): Promise<T> {
  return new Promise((resolve, reject) => {
    let left = 0;
    const goOn = (): void => {
      try {
        const { value, done } = loop.next();
        if (done === true) resolve(value);
        else if (typeof value === 'number') {
          left = value;
          void SETTLED.then(turn);
        } else void value.then(goOn);
      } catch (error) {
        reject(error);
      }
    };
    const turn = (): void => {
      if (--left > 0) void SETTLED.then(turn);
      else goOn();
    };
    goOn();
  });
}

const SETTLED = Promise.resolve();
