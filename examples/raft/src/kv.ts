// A key-value store as a state machine. A command that is repeated because its answer was lost
// takes effect only once.

import { createHash } from 'node:crypto';
import { protobuf } from '@trunkline/transport-core/protobuf';
import pb from 'protobufjs';
import type { StateMachine } from './node.ts';

const { root } = pb.parse(
  `
  syntax = "proto3";
  package kv;

  enum Op { GET = 0; SET = 1; DELETE = 2; }
  message Command { string client = 1; uint32 seq = 2; Op op = 3; string key = 4; string value = 5; }
  message Result { bool found = 1; string value = 2; string error = 3; }

  message Pair { string key = 1; string value = 2; }
  message Session { string client = 1; uint32 seq = 2; bytes result = 3; }
  message Content { repeated Pair pairs = 1; repeated Session sessions = 2; }
  `,
);

export const OPS = { get: 0, set: 1, delete: 2 } as const;

export interface Command {
  /** The name of the client. */
  client: string;
  /**
   * The number of this client's command, from 1. A repetition has the number of the first try. A
   * client sends one command at a time.
   */
  seq: number;
  /** A number of `OPS`. */
  op: number;
  key: string;
  /** The value to set; otherwise ''. */
  value: string;
}

export interface Result {
  /** Whether the key existed (before a set or delete). */
  found: boolean;
  /** The value of the key; '' if it did not exist. */
  value: string;
  /** The error text; '' on success. */
  error: string;
}

export const command = protobuf<Command>(root.lookupType('kv.Command'));
export const result = protobuf<Result>(root.lookupType('kv.Result'));
const content = protobuf<Content>(root.lookupType('kv.Content'));

export class KeyValueStore implements StateMachine {
  #pairs = new Map<string, string>();
  /**
   * The last command of each client and its result; the client that was silent longest comes first.
   */
  #sessions = new Map<string, { seq: number; result: Uint8Array }>();

  get(key: string): string | undefined {
    return this.#pairs.get(key);
  }

  /**
   * Returns the SHA-256 of the snapshot, in hex; equal on nodes that have applied the same
   * commands.
   */
  hash(): string {
    return createHash('sha256').update(this.snapshot()).digest('hex');
  }

  apply(bytes: Uint8Array): Uint8Array {
    let asked: Command;
    try {
      asked = command.decode(bytes);
    } catch (error) {
      return result.encode({ found: false, value: '', error: (error as Error).message });
    }
    const { client, seq } = asked;
    const session = this.#sessions.get(client);
    // Linearizable semantics for repeated commands: Raft thesis §6.3.
    if (session !== undefined && seq <= session.seq) return session.result;
    const answer = result.encode(this.#execute(asked));
    this.#sessions.delete(client);
    this.#sessions.set(client, { seq, result: answer });
    // Drop the oldest session; all nodes agree on which one that is.
    if (this.#sessions.size > MAX_SESSIONS)
      this.#sessions.delete(this.#sessions.keys().next().value!);
    return answer;
  }

  snapshot(): Uint8Array {
    const pairs = [...this.#pairs]
      .map(([key, value]) => ({ key, value }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    const sessions = [...this.#sessions].map(([client, session]) => ({ client, ...session }));
    return content.encode({ pairs, sessions });
  }

  restore(snapshot: Uint8Array): void {
    const { pairs, sessions } = content.decode(snapshot);
    this.#pairs = new Map(pairs.map(({ key, value }) => [key, value]));
    this.#sessions = new Map(sessions.map(({ client, seq, result }) => [client, { seq, result }]));
  }

  #execute({ op, key, value }: Command): Result {
    const before = this.#pairs.get(key);
    if (op === OPS.set) this.#pairs.set(key, value);
    else if (op === OPS.delete) this.#pairs.delete(key);
    else if (op !== OPS.get) return { found: false, value: '', error: `unknown operation ${op}` };
    return { found: before !== undefined, value: before ?? '', error: '' };
  }
}

interface Content {
  pairs: { key: string; value: string }[];
  sessions: { client: string; seq: number; result: Uint8Array }[];
}

/**
 * The most sessions that are kept. If 10,000 other clients have sent commands since, a repeated
 * command may take effect twice.
 */
const MAX_SESSIONS = 10_000;
