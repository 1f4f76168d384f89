// Raft machines in virtual time, with late, lost and duplicated messages, slow disks,
// crashes and partitions, all drawn from one seed. It checks the four safety properties of the
// paper (figure 3) at each step.

import { seededRandom } from '@trunkline/transport-core/testing';
import type { Entry, Save, Saved } from '../messages.ts';
import { Raft } from '../raft.ts';
import type { Message, Outputs } from '../raft-io.ts';
import { EventQueue } from './event-queue.ts';

export interface RaftFixtureOptions {
  seed: number;
  nodes?: number;
  /** Probabilities for each message, 0 to 1. */
  loss?: number;
  duplicate?: number;
  /** Milliseconds, each drawn between the two. */
  latency?: [number, number];
  disk?: [number, number];
  /** A snapshot is taken after this many entries; `keep` of them stay in the log. */
  snapshotEvery?: number;
  keep?: number;
}

export interface TestNode {
  readonly id: string;
  disk: Saved | undefined;
  raft: Raft | undefined;
  /** The state machine: the applied commands, by index. */
  applied: Map<number, string>;
  restores: number;
  /**
   * Incremented by each crash, so that actions begun in an earlier life do not finish in a later
   * one.
   */
  life: number;
  wakesAt: number;
  saving: boolean;
  replies: (() => void)[];
  refused: number;
}

export const ELECTION = 150;
export const HEARTBEAT = 30;

export class RaftFixture {
  readonly nodes: TestNode[];
  readonly random: () => number;
  readonly committed = new Map<number, { term: number; command: string }>();
  readonly leaders = new Map<number, string>();
  now = 0;
  /** Tells whether a message may pass from one node to another. */
  passes: (from: string, to: string) => boolean = () => true;
  #options: Required<RaftFixtureOptions>;
  readonly #queue = new EventQueue();
  readonly #entries = new Map<string, string>();

  constructor(options: RaftFixtureOptions) {
    this.#options = {
      nodes: 5,
      loss: 0,
      duplicate: 0,
      latency: [1, 5],
      disk: [0, 2],
      snapshotEvery: 1_000,
      keep: 0,
      ...options,
    };
    this.random = seededRandom(options.seed);
    this.nodes = Array.from({ length: this.#options.nodes }, (_, i) => ({
      id: `n${i + 1}`,
      disk: undefined,
      raft: undefined,
      applied: new Map(),
      restores: 0,
      life: 0,
      wakesAt: Number.POSITIVE_INFINITY,
      saving: false,
      replies: [],
      refused: 0,
    }));
    for (const node of this.nodes) this.start(node);
  }

  // Actions of a test.

  start(node: TestNode): void {
    const members = this.nodes.map(({ id }) => id);
    const { disk, id } = node;
    const saved = disk && { ...disk, entries: [...disk.entries] };
    node.raft = new Raft(
      { id, members, electionTimeout: ELECTION, heartbeat: HEARTBEAT, saved },
      this.now,
      this.random(),
    );
    node.applied = new Map();
    this.#pump(node);
    this.#arm(node);
  }

  /** Makes the node forget everything except its disk. */
  crash(node: TestNode): void {
    node.raft = undefined;
    node.life++;
    node.wakesAt = Number.POSITIVE_INFINITY;
    node.saving = false;
    node.replies = [];
  }

  partition(...groups: TestNode[][]): void {
    const group = new Map(groups.flatMap((nodes, i) => nodes.map(({ id }) => [id, i] as const)));
    this.passes = (from, to) => group.get(from) === group.get(to);
  }

  /** Stops the loss and duplication of messages. */
  calm(): void {
    this.#options = { ...this.#options, loss: 0, duplicate: 0 };
  }

  heal(): void {
    this.passes = () => true;
  }

  propose(node: TestNode, command: string): boolean {
    return (
      this.#step(node, (raft) => raft.propose(new TextEncoder().encode(command))) !== undefined
    );
  }

  /** The leader of the highest term, if it is up. */
  get leader(): TestNode | undefined {
    const leaders = this.nodes.filter(({ raft }) => raft?.status.role === 'leader');
    return leaders.sort((a, b) => b.raft!.status.term - a.raft!.status.term)[0];
  }

  run(milliseconds: number): void {
    this.until(() => false, milliseconds);
  }

  /** Runs until `done` returns true, for at most `milliseconds`; returns whether it did. */
  until(done: () => boolean, milliseconds: number): boolean {
    const end = this.now + milliseconds;
    for (;;) {
      if (done()) return true;
      const event = this.#queue.next(end);
      if (event === undefined) break;
      this.now = event.at;
      event.run();
    }
    this.now = end;
    return done();
  }

  after(delay: number, run: () => void): void {
    this.#queue.add(this.now + delay, run);
  }

  between([low, high]: [number, number]): number {
    return low + (high - low) * this.random();
  }

  // The driver, like node.ts.

  /**
   * Schedules the node's next wake-up. It may be sooner than the scheduled one: a new leader's
   * heartbeat does not wait for the election that it won.
   */
  #arm(node: TestNode): void {
    if (node.raft === undefined) return;
    const at = Math.max(this.now + 1, node.raft.wakeAt);
    if (node.wakesAt <= at) return;
    node.wakesAt = at;
    const { life } = node;
    this.after(at - this.now, () => {
      if (node.life !== life || node.wakesAt !== at) return;
      node.wakesAt = Number.POSITIVE_INFINITY;
      this.#step(node, (raft) => raft.wake(this.now, this.random()));
    });
  }

  #step<T>(node: TestNode, input: (raft: Raft) => T): T | undefined {
    if (node.raft === undefined) return undefined;
    const result = input(node.raft);
    this.#pump(node);
    this.#arm(node);
    return result;
  }

  #pump(node: TestNode): void {
    if (node.saving || node.raft === undefined) return;
    const outputs = node.raft.take();
    const replies = node.replies.splice(0);
    const { role, term } = node.raft.status;
    if (role === 'leader' && this.leaders.get(term) !== node.id) this.#elected(node, term);
    const finish = () => {
      for (const reply of replies) reply();
      this.#finish(node, outputs);
    };
    if (outputs.save === undefined) return finish();
    const { life } = node;
    node.saving = true;
    this.after(this.between(this.#options.disk), () => {
      if (node.life !== life) return;
      node.saving = false;
      this.#save(node, outputs.save!);
      finish();
      this.#pump(node);
    });
  }

  #finish(node: TestNode, { messages, restore, apply }: Outputs): void {
    for (const message of messages) this.#send(node, message);
    if (restore !== undefined) {
      node.restores++;
      node.applied = new Map(
        JSON.parse(new TextDecoder().decode(restore.data)) as [number, string][],
      );
      for (const [index, command] of node.applied)
        assert(
          this.committed.get(index)?.command === command,
          `${node.id} restored another ${index}`,
        );
    }
    for (const { index, term, command } of apply)
      this.#apply(node, index, term, new TextDecoder().decode(command));
    const last = [...node.applied.keys()].at(-1) ?? 0;
    if (
      node.raft !== undefined &&
      last - (node.disk?.snapshot?.index ?? 0) >= this.#options.snapshotEvery
    ) {
      node.raft.compact(
        last,
        new TextEncoder().encode(JSON.stringify([...node.applied])),
        this.#options.keep,
      );
    }
  }

  #send(from: TestNode, message: Message): void {
    const { life } = from;
    const to = this.nodes.find(({ id }) => id === message.to)!;
    const { loss, duplicate, latency } = this.#options;
    let settled = false;
    const settle = (input: (raft: Raft) => void) => {
      if (settled || from.life !== life) return;
      settled = true;
      this.#step(from, input);
    };
    this.after(ELECTION, () => settle((raft) => raft.failed(message)));
    const answer = (input: (raft: Raft) => void) => {
      if (this.random() < loss) return;
      this.after(this.between(latency), () => this.passes(to.id, from.id) && settle(input));
    };
    const copies = this.random() < loss ? 0 : this.random() < duplicate ? 2 : 1;
    for (let i = 0; i < copies; i++)
      this.after(
        this.between(latency),
        () => this.passes(from.id, to.id) && this.#receive(to, message, answer),
      );
  }

  #receive(node: TestNode, message: Message, answer: (input: (raft: Raft) => void) => void): void {
    this.#step(node, (raft) => {
      switch (message.method) {
        case 'requestVote': {
          const reply = raft.requestVote(this.now, message.request);
          return node.replies.push(() => answer((raft) => raft.voted(this.now, message, reply)));
        }
        case 'appendEntries': {
          const reply = raft.appendEntries(this.now, structuredClone(message.request));
          if (!reply.success) node.refused++;
          return node.replies.push(() => answer((raft) => raft.appended(this.now, message, reply)));
        }
        case 'installSnapshot': {
          const reply = raft.installSnapshot(this.now, message.request, message.data);
          return node.replies.push(() =>
            answer((raft) => raft.installed(this.now, message, reply)),
          );
        }
      }
    });
  }

  // The four safety properties.

  /** Checks election safety and leader completeness. */
  #elected(node: TestNode, term: number): void {
    assert(
      !this.leaders.has(term),
      `term ${term} has two leaders, ${this.leaders.get(term)} and ${node.id}`,
    );
    this.leaders.set(term, node.id);
    const { base = { index: 0, term: 0 }, entries = [] } = node.disk ?? {};
    for (const [index, { term: committedIn, command }] of this.committed) {
      const entry: Entry | undefined = entries[index - base.index - 1];
      const has =
        index <= base.index ||
        (entry?.term === committedIn && new TextDecoder().decode(entry.command) === command);
      assert(
        has || committedIn > term,
        `${node.id} leads term ${term} without entry ${index} of term ${committedIn}`,
      );
    }
  }

  /**
   * Checks log matching: an index and a term determine one command and one predecessor, and so, by
   * induction, the whole past.
   */
  #save(node: TestNode, save: Save): void {
    const old = node.disk ?? { base: { index: 0, term: 0 }, entries: [] };
    const kept = old.entries.slice(
      Math.max(0, save.base.index - old.base.index),
      Math.max(0, save.first - 1 - old.base.index),
    );
    const entries = save.base.index >= save.first ? save.entries : [...kept, ...save.entries];
    assert(
      save.base.index + entries.length === save.last,
      `${node.id} saved ${entries.length} entries behind ${save.base.index}, not up to ${save.last}`,
    );
    node.disk = {
      term: save.term,
      votedFor: save.votedFor,
      base: save.base,
      entries,
      snapshot: save.snapshot ?? node.disk?.snapshot,
    };
    assert(
      save.base.index <= (node.disk.snapshot?.index ?? 0),
      `${node.id} dropped ${save.base.index} entries without a snapshot of them`,
    );
    for (const [i, { term, command }] of save.entries.entries()) {
      const index = save.first + i;
      const before =
        index - 1 === save.base.index ? save.base.term : entries[index - save.base.index - 2]!.term;
      const what = `${before} ${new TextDecoder().decode(command)}`;
      const key = `${index}/${term}`;
      assert(
        (this.#entries.get(key) ?? what) === what,
        `entry ${key} is '${what}' on ${node.id}, '${this.#entries.get(key)}' elsewhere`,
      );
      this.#entries.set(key, what);
    }
  }

  /**
   * Checks state machine safety: at one index all nodes apply the same command, once and in order.
   */
  #apply(node: TestNode, index: number, term: number, command: string): void {
    const known = this.committed.get(index);
    assert(
      known === undefined || known.command === command,
      `${node.id} applied '${command}' at ${index}, others '${known?.command}'`,
    );
    assert(index > ([...node.applied.keys()].at(-1) ?? 0), `${node.id} applied ${index} again`);
    if (known === undefined) this.committed.set(index, { term, command });
    node.applied.set(index, command);
  }
}

function assert(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}
