// Mutants of a transport: each one breaks a promise about calls, connections or buffers.

import type { Mutant } from './mutant.ts';

const CORE = 'packages/transport-core/dist';

export const TRANSPORT_MUTANTS: readonly Mutant[] = [
  {
    name: 'a transport in memory that shares buffers',
    scenario: 'calls',
    edits: [
      {
        file: `${CORE}/wire/frame-collector.js`,
        find: 'length === 0 ? EMPTY : new Uint8Array(bytes)',
        replace: 'bytes',
      },
    ],
  },
  {
    name: 'a pool that returns dead connections',
    scenario: 'calls',
    edits: [
      {
        file: `${CORE}/stream/pool.js`,
        find: 'const at = entry.connections.indexOf(connection);',
        replace: 'const at = -1;',
      },
    ],
  },
  {
    name: 'a pool that returns dead connections, to Raft',
    edits: [
      {
        file: `${CORE}/stream/pool.js`,
        find: 'const at = entry.connections.indexOf(connection);',
        replace: 'const at = -1;',
      },
    ],
  },
  {
    name: 'a reply matched to the wrong call: the ids of cancelled calls are free at once',
    scenario: 'calls',
    edits: [
      {
        file: `${CORE}/session/caller/caller.js`,
        find: 'this.#batch.control(Kind.CANCEL, call.id);',
        replace: 'this.#batch.control(Kind.CANCEL, call.id); this.#release(channel, call);',
      },
      {
        file: `${CORE}/session/id-table.js`,
        find: '(entry.id - (HIGHEST + 1 - SLOTS * 2)) & HIGHEST || SLOTS * 2',
        replace: 'entry.id',
      },
    ],
  },
  {
    name: 'a deadline that never comes',
    scenario: 'calls',
    edits: [{ file: `${CORE}/rpc/call.js`, find: 'this.due = now + timeout;', replace: '' }],
  },
  {
    name: 'a call that was sent is sent again',
    scenario: 'calls',
    edits: [
      {
        file: `${CORE}/session/caller/caller.js`,
        find: 'if (sent || (call.method.flags !== 0 && call.writtenIn !== 0))',
        replace: 'if (false)',
      },
    ],
  },
  {
    name: 'an end that does not learn of the reset',
    scenario: 'calls',
    edits: [
      {
        file: 'packages/transport-inmem/dist/memory/memory-connection.js',
        find: `this.end(this.reset('the other end reset the connection'));`,
        replace: ';',
      },
    ],
  },
];
