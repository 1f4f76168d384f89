// The table of nodes that are online, printed whenever it changes.

import { z } from 'zod';

/** The status that a node shares. */
export const Entry = z.object({ name: z.string().max(40), status: z.string().max(40) });
export type Entry = z.infer<typeof Entry>;

export class Table {
  readonly #rows = new Map<string, Entry>();
  readonly #print: (text: string) => void;
  #last = '';

  constructor(print: (text: string) => void) {
    this.#print = print;
  }

  set(nodeId: string, entry: Entry): void {
    this.#rows.set(nodeId, entry);
    this.#show();
  }

  delete(nodeId: string): void {
    if (this.#rows.delete(nodeId)) this.#show();
  }

  #show(): void {
    const rows = [...this.#rows].map(([nodeId, { name, status }]) =>
      `${name} (${nodeId.slice(0, 8)}): ${status}`.replace(/\p{Cc}/gu, ' '),
    );
    const text = rows.sort().join('\n');
    if (text !== this.#last) this.#print(text);
    this.#last = text;
  }
}
