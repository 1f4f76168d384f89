// The limit within a process: a slot for each call, and one microtask that answers all calls made
// before it runs.

import { answer } from '../messages.ts';
import { type Adapters, inOneProcess } from './adapter.ts';

export const adapters: Adapters = {
  'limit-inproc': inOneProcess(async () => {
    const slots = new Slots();
    return { call: (request) => slots.call(request), close: async () => {} };
  }),
};

class Slots {
  readonly #resolvers: ((reply: Uint8Array) => void)[] = [];
  readonly #free: number[] = [];
  #requests: Uint8Array[] = [];
  #ids: number[] = [];

  call(request: Uint8Array): Promise<Uint8Array> {
    const promise = new Promise(keep);
    const id = this.#free.pop() ?? this.#resolvers.length;
    this.#resolvers[id] = kept;
    if (this.#ids.length === 0) queueMicrotask(this.#drain);
    this.#ids.push(id);
    this.#requests.push(request);
    return promise;
  }

  readonly #drain = (): void => {
    const ids = this.#ids;
    const requests = this.#requests;
    this.#ids = [];
    this.#requests = [];
    for (let at = 0; at < ids.length; at++) {
      const id = ids[at]!;
      this.#free.push(id);
      this.#resolvers[id]!(answer(requests[at]!));
    }
  };
}

/** Set by the one executor that all promises share; it is read before the next call can be made. */
let kept: (reply: Uint8Array) => void;
const keep = (resolve: (reply: Uint8Array) => void): void => {
  kept = resolve;
};
