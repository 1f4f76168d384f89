// Mutants of Raft: each one leaves out one of its rules.

import type { Mutant } from './mutant.ts';

const RAFT = 'examples/raft/dist/raft.js';
const LOG = 'examples/raft/dist/log.js';
const REPLICATION = 'examples/raft/dist/replication.js';
const NODE = 'examples/raft/dist/node.js';
const STORAGE = 'examples/raft/dist/storage.js';
const KV = 'examples/raft/dist/kv.js';
const CLIENT = 'examples/raft/dist/client.js';

const mutant = (
  name: string,
  file: string,
  find: string,
  replace: string,
  trouble?: Mutant['trouble'],
): Mutant => ({
  name,
  trouble,
  edits: [{ file, find, replace }],
});

export const RAFT_MUTANTS: readonly Mutant[] = [
  // Elections.
  mutant(
    'votes twice in a term',
    RAFT,
    `const free = this.#votedFor === '' || this.#votedFor === request.candidate;`,
    'const free = true;',
  ),
  mutant(
    'forgets its vote on restart',
    RAFT,
    `this.#votedFor = saved?.votedFor ?? '';`,
    `this.#votedFor = '';`,
  ),
  mutant('forgets its term on restart', RAFT, 'this.#term = saved?.term ?? 0;', 'this.#term = 0;'),
  mutant(
    'votes for a log that lacks entries',
    RAFT,
    'const upToDate = request.lastTerm > term || (request.lastTerm === term && request.lastIndex >= index);',
    'const upToDate = true;',
  ),
  mutant(
    'compares logs by length, not by term',
    RAFT,
    'const upToDate = request.lastTerm > term || (request.lastTerm === term && request.lastIndex >= index);',
    'const upToDate = request.lastIndex >= index;',
    'figure 8',
  ),
  mutant(
    'counts votes of another request',
    RAFT,
    `role.request !== message.request || !reply.granted`,
    '!reply.granted',
  ),
  mutant(
    'counts refused votes',
    RAFT,
    `role.request !== message.request || !reply.granted`,
    'role.request !== message.request',
  ),
  mutant('leads on pre-votes', RAFT, 'if (role.request.preVote)', 'if (false)'),
  mutant(
    'needs one vote less than a majority',
    RAFT,
    'Math.floor(members.length / 2) + 1',
    'Math.floor(members.length / 2)',
  ),
  // Replication.
  {
    name: 'follows a leader of an old term',
    trouble: 'late messages',
    edits: [
      {
        file: RAFT,
        find: 'if (term < this.#term || !this.#members.has(leader))',
        replace: 'if (!this.#members.has(leader))',
      },
    ],
  },
  mutant(
    'does not check the previous entry',
    RAFT,
    'log.termAt(prevIndex) !== prevTerm)',
    'false)',
  ),
  mutant(
    'cuts its log after each message',
    LOG,
    'if (agreed === entries.length)\n            return true;',
    'if (agreed === entries.length) {\n this.#entries.length = Math.max(0, index + agreed - 1 - this.#base.index);\n return true;\n}',
  ),
  mutant(
    'commits entries that a follower has not checked',
    RAFT,
    'Math.min(request.commit, match)',
    'Math.min(request.commit, log.last.index)',
  ),
  mutant(
    'counts a lost reply as a success',
    REPLICATION,
    'follower.paused = true;\n    }',
    `{ follower.paused = true; if (message.method === 'appendEntries') follower.match = Math.max(follower.match, message.request.prevIndex + message.request.entries.length); }\n    }`,
  ),
  mutant(
    'counts a success for its whole current log',
    REPLICATION,
    'follower.match = Math.max(follower.match, reply.match);',
    'follower.match = this.#log.last.index;',
  ),
  mutant(
    'counts a refusal as a success',
    REPLICATION,
    'if (reply.success) {',
    `if (reply.success || message.method === 'appendEntries') {\n reply.match = Math.max(reply.match, message.request.prevIndex);`,
  ),
  mutant(
    'never resends the entries that a follower lacks',
    REPLICATION,
    'follower.next = Math.max(1, Math.min(message.request.prevIndex, end === undefined ? reply.conflictIndex : end + 1));',
    '',
  ),
  // Commitment.
  {
    name: 'commits an entry of an old term by counting replicas',
    trouble: 'figure 8',
    edits: [
      { file: LOG, find: 'const BATCH_ENTRIES = 512;', replace: 'const BATCH_ENTRIES = 1;' },
      {
        file: RAFT,
        find: 'if (index > this.#commit && this.#log.termAt(index) === this.#term)',
        replace: 'if (index > this.#commit)',
      },
    ],
  },
  mutant(
    'counts itself twice',
    RAFT,
    'const matches = [',
    'const matches = [this.#log.last.index,',
  ),
  mutant(
    'applies an entry before a majority has it',
    RAFT,
    'this.#countReplicas(replication);',
    'this.#commit = this.#log.last.index;',
  ),
  // The disk and restarts.
  mutant(
    'answers before its state is saved',
    NODE,
    'await this.#storage.save(outputs.save);',
    'void this.#storage.save(outputs.save);',
    'blackouts',
  ),
  mutant(
    'does not wait for the disk to sync',
    STORAGE,
    'await this.#store.sync();',
    'void this.#store.sync();',
    'blackouts',
  ),
  mutant('does not sync', STORAGE, 'await this.#store.sync();', ''),
  mutant(
    'applies the entries of its snapshot again',
    RAFT,
    'this.#commit = this.#applied = saved?.snapshot?.index ?? 0;',
    'this.#commit = saved?.snapshot?.index ?? 0;\n this.#applied = this.#log.base.index;',
  ),
  mutant(
    'keeps the old log after a new snapshot',
    RAFT,
    'this.#log.reset({ index, term: indexTerm });',
    '',
  ),
  // The state machine and its clients.
  mutant(
    'omits sessions from its snapshots',
    KV,
    'return content.encode({ pairs, sessions });',
    'return content.encode({ pairs, sessions: [] });',
  ),
  mutant(
    'executes a repeated command again',
    KV,
    'if (session !== undefined && seq <= session.seq)',
    'if (false)',
  ),
  mutant(
    'gives each retry a new number',
    CLIENT,
    "const answer = result.decode(await transport.send(this.#leader, 'propose', bytes,",
    "const answer = result.decode(await transport.send(this.#leader, 'propose', command.encode({ client: name, seq: ++this.#seq, ...asked }),",
  ),
  mutant(
    'reports success after it lost leadership',
    NODE,
    "pending.reject(new TransportError('unavailable', message, { sent: true, metadata: leaderHint(status) }));",
    'pending.resolve(new Uint8Array());',
  ),
  {
    name: 'reads without going through the log',
    edits: [
      {
        file: NODE,
        find: `import { RaftStorage } from './storage.js';`,
        replace: `import { RaftStorage } from './storage.js';\nimport { command as asked, result as told } from './kv.js';`,
      },
      {
        file: NODE,
        find: 'const position = this.#step(() => this.#raft.propose(command));',
        replace: `const { op, key } = asked.decode(command);
        if (op === 0 && this.#raft.status.role === 'leader') {
          const value = this.machine.kv.get(key);
          return told.encode({ found: value !== undefined, value: value ?? '', error: '' });
        }
        const position = this.#step(() => this.#raft.propose(command));`,
      },
    ],
  },
];
