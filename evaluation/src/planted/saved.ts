// A value on the disk of a node.

import type { NodeContext } from '@trunkline/simulation';

/** A value of JSON on the disk of a node. Operations of the disk that fail are repeated. */
export class Saved<T> {
  readonly #context: Pick<NodeContext, 'store' | 'clock'>;
  #last: Promise<void> = Promise.resolve();

  constructor(context: Pick<NodeContext, 'store' | 'clock'>) {
    this.#context = context;
  }

  /** Returns the value; undefined if none was saved. */
  async read(): Promise<T | undefined> {
    const bytes = await this.#context.store.get(KEY);
    return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as T);
  }

  /** Writes the value. Resolves when it is safe from a crash. */
  write(value: T): Promise<void> {
    void this.writeUnsynced(value);
    return this.#inOrder(() => this.#context.store.sync());
  }

  /** Writes the value. A crash may undo that. */
  writeUnsynced(value: T): Promise<void> {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    return this.#inOrder(() => this.#context.store.set(KEY, bytes));
  }

  #inOrder(operation: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(() => this.#repeated(operation));
    return this.#last;
  }

  async #repeated(operation: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await operation();
      } catch {
        await this.#context.clock.sleep(20);
      }
    }
  }
}

const KEY = 'state';
