// The connections that pool entries use although they were not dialed for these entries. They
// belong to a membership, and the entries' names lead to their nodes.

import type { Connection } from './connection.ts';
import type { PoolEntry } from './pool-entry.ts';

/** The entries that use each connection of the membership. */
export class BorrowedConnections {
  readonly #borrowers = new Map<Connection, Set<PoolEntry>>();

  /**
   * Adds a connection to an entry's connections. Returns false if the entry already has the
   * connection, or if the connection is not up.
   */
  borrow(entry: PoolEntry, connection: Connection): boolean {
    if (!connection.isUp || entry.connections.includes(connection)) return false;
    entry.connections.push(connection);
    const borrowers = this.#borrowers.get(connection);
    if (borrowers === undefined) this.#borrowers.set(connection, new Set([entry]));
    else borrowers.add(entry);
    return true;
  }

  /** Returns the entries that use a connection. */
  borrowersOf(connection: Connection): readonly PoolEntry[] {
    const borrowers = this.#borrowers.get(connection);
    return borrowers === undefined ? NOBODY : [...borrowers];
  }

  /** Records that an entry no longer uses a connection. */
  returned(entry: PoolEntry, connection: Connection): void {
    const borrowers = this.#borrowers.get(connection);
    if (borrowers?.delete(entry) === true && borrowers.size === 0)
      this.#borrowers.delete(connection);
  }

  clear(): void {
    this.#borrowers.clear();
  }
}

const NOBODY: readonly PoolEntry[] = Object.freeze([]);
