// A replicated register in the manner of viewstamped replication (Liskov and Cowling, Viewstamped
// Replication Revisited, 2012), with a switch for each of 15 planted bugs. The log is in memory. As
// in the first paper (Oki and Liskov 1988), the view is on the disk, because a replica that forgets
// the view of its vote may acknowledge operations of an older one (Michael et al., DISC 2017).

import type { NodeContext, SimClock } from '@trunkline/simulation';
import type { Transport } from '@trunkline/transport-core';
import type {
  Log,
  Message,
  Position,
  Progress,
  Recovery,
  ReplicationBug,
  Request,
  Result,
  replication,
  Vote,
} from './replication-protocol.ts';
import type { Saved } from './saved.ts';

export interface Life {
  readonly number: number;
  readonly view: number;
}

interface Setting {
  readonly context: NodeContext;
  readonly net: Transport<typeof replication>;
  readonly members: readonly string[];
  /** Returns true if a bug is planted. Asked only if the bug changes what happens next. */
  readonly planted: (bug: ReplicationBug) => boolean;
  readonly saved: Saved<Life>;
  readonly life: Life;
}

type Status = 'normal' | 'view change' | 'recovering';
type Method = Exclude<keyof (typeof replication)['methods'], 'execute'>;

/** A replica; the methods without a comment handle the message of their name. */
export class Replica {
  readonly #setting: Setting;
  readonly #clock: SimClock;
  readonly #quorum: number;
  #status: Status;
  #view: number;
  #lastNormal = 0;
  /** The last view that is on the disk. */
  #savedView = 0;
  #log: Request[] = [];
  #commit = 0;
  #value: string | null = null;
  /** The results of the operations that were executed. */
  #results: Result[] = [];
  /** The last request of each client, and its place in the log. */
  #table = new Map<string, { readonly number: number; readonly op: number }>();
  #waiting = new Map<string, (result?: Result) => void>();
  /** How much of the log each backup has. */
  #acknowledged = new Map<string, number>();
  #changes = new Set<string>();
  #votes = new Map<string, Vote>();
  #answers = new Map<string, Recovery & Partial<Log>>();
  /** The time of the last message of the primary, or at which the view change began. */
  #since: number;

  constructor(setting: Setting) {
    const { context, members, life, planted } = setting;
    this.#setting = setting;
    this.#clock = context.clock;
    const half = members.length / 2;
    this.#quorum = Number.isInteger(half) && planted('evenQuorum') ? half : Math.floor(half) + 1;
    this.#status = life.number === 1 ? 'normal' : 'recovering';
    this.#view = life.view;
    this.#since = this.#clock.now();
  }

  async run(): Promise<void> {
    for (;;) {
      const patience = 300 + 300 * this.#setting.context.random();
      await this.#clock.sleep(BEAT);
      const isLate = this.#clock.now() - this.#since > patience;
      if (this.#status === 'recovering')
        this.#tellAll('recovery', { ...this.#message(), nonce: this.#setting.life.number });
      else if (this.#leads()) this.#tellAll('commit', this.#progress());
      else if (isLate) this.#changeView(this.#view + 1);
      else if (this.#status === 'view change') this.#announce();
    }
  }

  async save(view: number): Promise<void> {
    const { saved, life } = this.#setting;
    const value = { number: life.number, view };
    if (this.#is('storeUnsynced')) await saved.writeUnsynced(value);
    else await saved.write(value);
    this.#savedView = view;
  }

  // Normal operation.

  async execute(request: Request): Promise<{ readonly view: number; readonly result?: Result }> {
    const { client, number, command } = request;
    if (!this.#leads()) return { view: this.#view };
    if (command.op === 'get' && this.#is('localReads'))
      return { view: this.#view, result: this.#value };
    const known = this.#table.get(client);
    if (known === undefined || number > known.number || this.#is('noClientTable')) {
      this.#append(request);
      this.#tellAll('prepare', { ...this.#progress(), entry: request });
    } else if (number < known.number) return { view: this.#view };
    else if (known.op <= this.#results.length)
      return { view: this.#view, result: this.#results[known.op - 1]! };
    const result = new Promise<Result | undefined>((resolve) =>
      this.#waiting.set(`${client} ${number}`, resolve),
    );
    if (this.#is('commitsEarly')) this.#advance(this.#log.length);
    const got = await result;
    return got === undefined ? { view: this.#view } : { view: this.#view, result: got };
  }

  prepare(message: Progress & { readonly entry: Request }): void {
    const { from, view, op, entry, commit } = message;
    if (!this.#follows(message)) return;
    if (op > this.#log.length + 1 && !this.#is('gapAccepted'))
      return this.#askState(from, this.#log.length);
    if (op === this.#log.length + 1) this.#append(entry, !this.#is('tableOnPrimary'));
    else if (op > this.#log.length) this.#log[op - 1] = entry;
    this.#tell(from, 'prepareOk', { ...this.#message(), view, op: this.#log.length });
    this.#advance(commit);
  }

  prepareOk({ from, view, op }: Position): void {
    if (!this.#leads() || view !== this.#view) return;
    this.#acknowledged.set(from, Math.max(op, this.#acknowledged.get(from) ?? 0));
    const most = [...this.#acknowledged.values()].sort((a, b) => b - a);
    this.#advance(most[this.#quorum - 2] ?? 0);
  }

  onCommit(message: Progress): void {
    if (!this.#follows(message)) return;
    if (message.op > this.#log.length) return this.#askState(message.from, this.#log.length);
    const { from, view } = message;
    this.#tell(from, 'prepareOk', { ...this.#message(), view, op: this.#log.length });
    this.#advance(message.commit);
  }

  /** Returns true if a message of a primary is of the view that this replica is in. */
  #follows({ from, view }: Message): boolean {
    if (this.#status === 'recovering') return false;
    if (view > this.#view) {
      // Entries that are not committed may differ in the new view.
      this.#askState(from, this.#commit);
      return false;
    }
    if (view === this.#view && this.#status === 'normal') {
      this.#since = this.#clock.now();
      return true;
    }
    if (this.#status === 'normal') return this.#is('stalePrepare');
    return view === this.#lastNormal && this.#is('answersInOldView');
  }

  #append(entry: Request, inTable = true): void {
    this.#log.push(entry);
    if (inTable) this.#table.set(entry.client, { number: entry.number, op: this.#log.length });
  }

  #advance(commit: number): void {
    this.#commit = Math.max(this.#commit, Math.min(commit, this.#log.length));
    while (this.#results.length < this.#commit) {
      const { client, number, command } = this.#log[this.#results.length]!;
      const before = this.#value;
      const done = command.op !== 'cas' || command.expected === before;
      if (command.op !== 'get' && done) this.#value = command.value;
      const result = command.op === 'cas' ? done : before;
      this.#results.push(result);
      this.#waiting.get(`${client} ${number}`)?.(result);
      this.#waiting.delete(`${client} ${number}`);
    }
  }

  // State transfer.

  /** Asks for the entries after `op`. */
  #askState(from: string, op: number): void {
    this.#tell(from, 'getState', { ...this.#message(), op });
  }

  getState({ from, op }: Position): void {
    if (this.#status !== 'normal') return;
    this.#tell(from, 'newState', { ...this.#logMessage(), op, log: this.#log.slice(op) });
  }

  newState({ view, op, log, commit }: Log & Position): void {
    if (this.#status === 'recovering' || view < this.#view || op > this.#log.length) return;
    if (view === this.#view) {
      if (this.#status !== 'normal') return;
      for (const entry of log.slice(this.#log.length - op))
        this.#append(entry, !this.#is('tableOnPrimary'));
    } else if (op <= this.#commit) {
      this.#adopt([...this.#log.slice(0, op), ...log]);
      this.#enter(view);
    }
    this.#advance(commit);
  }

  // View change.

  #changeView(view: number): void {
    this.#view = view;
    this.#status = 'view change';
    this.#since = this.#clock.now();
    if (this.#changes.size + this.#votes.size > 0 && !this.#is('votesKept')) {
      this.#changes.clear();
      this.#votes.clear();
    }
    for (const refuse of this.#waiting.values()) refuse();
    this.#waiting.clear();
    void this.save(view).then(() => this.#announce());
  }

  #announce(): void {
    if (this.#status !== 'view change' || this.#savedView !== this.#view) return;
    this.#tellAll('startViewChange', this.#message());
    this.#vote();
  }

  startViewChange({ from, view }: Message): void {
    if (this.#isOut() || view < this.#view) return;
    if (view > this.#view) this.#changeView(view);
    this.#changes.add(from);
    this.#vote();
  }

  #vote(): void {
    if (this.#status !== 'view change' || this.#savedView !== this.#view) return;
    if (this.#changes.size < this.#quorum - 1) return;
    const vote = { ...this.#logMessage(), lastNormal: this.#lastNormal };
    const primary = this.#primaryOf(this.#view);
    if (primary === this.#setting.context.name) this.doViewChange(vote);
    else this.#tell(primary, 'doViewChange', vote);
  }

  doViewChange(vote: Vote): void {
    if (this.#isOut() || vote.view < this.#view) return;
    if (vote.view > this.#view) this.#changeView(vote.view);
    if (this.#status !== 'view change') return;
    this.#votes.set(vote.from, vote);
    if (this.#votes.size < this.#quorum || !this.#votes.has(this.#setting.context.name)) return;
    const votes = [...this.#votes.values()].sort((a, b) => b.log.length - a.log.length);
    const lastNormal = Math.max(...votes.map((each) => each.lastNormal));
    let best = votes.find((each) => each.lastNormal === lastNormal)!;
    if (best !== votes[0] && this.#is('longestLog')) best = votes[0]!;
    let commit = Math.max(...votes.map((each) => each.commit));
    if (commit < best.log.length && this.#is('startViewWithoutCommit')) commit = best.log.length;
    this.#adopt(best.log);
    this.#enter(this.#view);
    this.#acknowledged.clear();
    this.#advance(commit);
    this.#tellAll('startView', this.#logMessage());
  }

  startView({ from, view, log, commit }: Log): void {
    if (this.#status === 'recovering' || view < this.#view) return;
    if (view === this.#view && this.#status === 'normal') return;
    this.#adopt(log);
    this.#enter(view);
    this.#tell(from, 'prepareOk', { ...this.#message(), op: log.length });
    const isShort = commit < log.length && this.#is('startViewWithoutCommit');
    this.#advance(isShort ? log.length : commit);
  }

  /** Replaces the log after what was executed. */
  #adopt(log: readonly Request[]): void {
    this.#log = [...log];
    if (this.#is('tableOnPrimary')) return;
    this.#table.clear();
    for (const [at, { client, number }] of log.entries())
      this.#table.set(client, { number, op: at + 1 });
  }

  #enter(view: number): void {
    this.#status = 'normal';
    this.#view = view;
    this.#lastNormal = view;
    this.#since = this.#clock.now();
  }

  // Recovery.

  recovery({ from, view, nonce }: Recovery): void {
    if (this.#status === 'recovering') return;
    if (view > this.#view) return this.#changeView(view);
    if (this.#status !== 'normal') return;
    const sendsLog = this.#leads() || this.#is('recoversFromAny');
    const message = sendsLog ? this.#logMessage() : this.#message();
    this.#tell(from, 'recoveryResponse', { ...message, nonce });
  }

  recoveryResponse(response: Recovery & Partial<Log>): void {
    if (this.#status !== 'recovering') return;
    if (response.nonce !== this.#setting.life.number && !this.#is('recoversWithoutNonce')) return;
    this.#answers.set(response.from, response);
    const view = Math.max(...[...this.#answers.values()].map((answer) => answer.view));
    const { log, commit } = this.#is('recoversFromAny')
      ? response
      : (this.#answers.get(this.#primaryOf(view)) ?? {});
    const enough = this.#is('recoversFromAny')
      ? 1
      : this.#setting.members.length - this.#quorum + 1;
    if (this.#answers.size < enough || view < this.#view || log === undefined) return;
    this.#adopt(log);
    this.#enter(view);
    this.#advance(commit!);
  }

  // Helpers.

  #is(bug: ReplicationBug): boolean {
    return this.#setting.planted(bug);
  }

  #isOut(): boolean {
    return this.#status === 'recovering' && !this.#is('recoveringVotes');
  }

  #leads(): boolean {
    return this.#status === 'normal' && this.#primaryOf(this.#view) === this.#setting.context.name;
  }

  #primaryOf(view: number): string {
    const { members } = this.#setting;
    return members[view % members.length]!;
  }

  #message(): Message {
    return { from: this.#setting.context.name, view: this.#view };
  }

  #progress(): Progress {
    return { ...this.#message(), op: this.#log.length, commit: this.#commit };
  }

  #logMessage(): Log {
    return { ...this.#message(), log: this.#log, commit: this.#commit };
  }

  #tell(to: string, method: Method, message: any): void {
    void this.#setting.net.send(to, method, message).catch(() => {});
  }

  #tellAll(method: Method, message: any): void {
    for (const to of this.#setting.members)
      if (to !== this.#setting.context.name) this.#tell(to, method, message);
  }
}

/** Milliseconds between two messages of a primary, or attempts of another replica. */
const BEAT = 150;
