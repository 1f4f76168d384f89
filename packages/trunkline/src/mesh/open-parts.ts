// The parts of a node that are open. It names the part in each error, and closes the parts in
// reverse order.

import { TransportError } from '@trunkline/transport-core';
import { closeError, startError } from './errors.ts';

export class OpenParts {
  readonly #node: string | undefined;
  readonly #open: { readonly part: string; close(grace: number): unknown }[] = [];
  #closing: Promise<void> | undefined = undefined;

  constructor(node: string | undefined) {
    this.#node = node;
  }

  /**
   * Performs a step of the start. Rejects with the error of `createNode` if the step fails, or,
   * without performing it, if `close` was called.
   */
  async attempt<T>(part: string, step: () => T): Promise<Awaited<T>> {
    try {
      if (this.#closing !== undefined)
        throw new TransportError('shutdown', 'not started, because the node was closed meanwhile');
      return await step();
    } catch (error) {
      throw startError(error, part, this.#node);
    }
  }

  /**
   * Adds a part that is open, with the function that closes it. If `close` was called meanwhile,
   * only `abandon` closes this part, so another `attempt` must follow.
   */
  add(part: string, close: (grace: number) => unknown): void {
    this.#open.push({ part, close });
  }

  /**
   * Closes all parts, the last one first. Rejects with one error that names the parts that could
   * not be closed. A later call returns the promise of the first one, whatever its grace.
   *
   * @param grace milliseconds for calls in flight.
   */
  close(grace: number): Promise<void> {
    return (this.#closing ??= this.#close(grace));
  }

  /**
   * Closes all parts because the start failed, also those that were added after `close`. Adds
   * errors of closing to the text of `error`, which must be an Error. Never rejects.
   */
  async abandon(error: unknown): Promise<void> {
    for (const close of [() => this.#closing, () => this.#close(0)]) {
      try {
        await close();
      } catch (closing) {
        (error as Error).message += `; ${(closing as Error).message}`;
      }
    }
  }

  async #close(grace: number): Promise<void> {
    const failed: { readonly part: string; readonly error: unknown }[] = [];
    for (const { part, close } of this.#open.splice(0).reverse()) {
      try {
        await close(grace);
      } catch (error) {
        failed.push({ part, error });
      }
    }
    if (failed.length > 0) throw closeError(failed, this.#node);
  }
}
