// A page ends when its user leaves it. Browsers get this file as '#keep-alive'.

import type { KeepAlive as ProcessKeepAlive } from './keep-alive.ts';

/** Does nothing. */
export class KeepAlive implements Pick<ProcessKeepAlive, keyof ProcessKeepAlive> {
  enter(): void {}

  leave(): void {}

  during<T>(promise: Promise<T>): Promise<T> {
    return promise;
  }
}
