// Tracks which peers are on which of this node's topics. Each node numbers its list of topics and
// sends the number to its peers; a peer that receives a newer number pulls the list. Owned by
// GossipDriver; what it learns goes to `ConnectedMembers.told`. Also tested in list-limits.test.ts.

import { concatBytes } from '@noble/hashes/utils.js';
import { StatusSync } from '@trunkline/peers/internal';
import { TransportError } from '@trunkline/transport-core';
import { stackless } from '@trunkline/transport-core/backend';
import { askForList, decodeList, encodeList, recognizerOf } from '../discovery/tags.ts';
import type { TopicSession } from '../topics/topic-session.ts';
import type { ConnectedMember, DriverParts } from './members.ts';

export class Interests {
  readonly #init: DriverParts;
  /**
   * The lists as they were pulled, and their numbers. Starts at 1, because number 0 always means
   * that a node has no topics any more.
   */
  readonly #sync: StatusSync;
  /**
   * Peers to retry with the next beat: peers to which the number could not be sent, peers that
   * don't seem to know it, and peers whose list could not be pulled.
   */
  readonly #untold = new Set<string>();
  readonly #unpulled = new Set<string>();
  /** The keys, in hex, of the topics that this node had at the last call of `changed`. */
  #topics: ReadonlySet<string> = new Set();
  #isChanging = false;

  constructor(init: DriverParts) {
    this.#init = init;
    const { clock, random } = init.mount;
    this.#sync = new StatusSync({ random, now: clock.now(), seq: 1 });
  }

  /**
   * Called when the topics of this node have changed, or it has begun or ceased to read on one.
   * Peers are informed after the current code has run. The lists that were already pulled determine
   * at once which peers are on the new topics.
   */
  changed(): void {
    const { members, sessions, mount } = this.#init;
    const before = this.#sync.seq;
    const fresh = [...sessions.values()].filter(({ key }) => !this.#topics.has(key.hex));
    this.#topics = new Set(sessions.keys());
    const listed = this.#listed;
    this.#sync.set(listed.length === 0 ? undefined : concatBytes(...listed), mount.clock.now());
    for (const member of members.all.values()) {
      const { nodeId, topics: found } = member;
      const now = new Set([
        ...[...found].filter((topic) => sessions.has(topic)),
        ...this.#recognized(nodeId, fresh),
      ]);
      if (now.size === found.size && [...now].every((topic) => found.has(topic))) continue;
      members.told(member, now);
    }
    if (this.#sync.seq === before || this.#isChanging) return;
    this.#isChanging = true;
    mount.clock.defer(() => {
      this.#isChanging = false;
      this.#tell(members.all.keys());
      this.#init.soon();
    });
  }

  /**
   * The keys on the list that peers pull: those of the topics that this node is on. On the others
   * it only publishes.
   */
  get #listed(): readonly Uint8Array[] {
    const listed = [...this.#init.sessions.values()].filter(({ isMember }) => isMember);
    return listed.map(({ key }) => key.bytes);
  }

  /** Informs peers of pending changes at once. */
  flush(): void {
    if (this.#isChanging) this.#tell(this.#init.members.all.keys());
  }

  /** Called when a peer has connected: sends it the number, and pulls its list. */
  connected(member: ConnectedMember, now: number): void {
    const { nodeId, instance } = member;
    this.#sync.connected(nodeId, instance, now);
    // If the connection is already closed, the next beat sends the number.
    this.#untold.add(nodeId);
    this.#tell([nodeId]);
    void this.#pull(member);
  }

  /** Called when a peer is gone: forgets its list. */
  gone(nodeId: string): void {
    this.#untold.delete(nodeId);
    this.#unpulled.delete(nodeId);
    this.#sync.gone(nodeId);
  }

  /** Processes a list number that a peer has sent. */
  heard(member: ConnectedMember, seq: number, empty: boolean): void {
    if (empty) return void this.#take(member, seq, undefined);
    const now = this.#init.mount.clock.now();
    if (this.#sync.heard(member.nodeId, member.instance, seq, now)) void this.#pull(member);
  }

  /**
   * Repeats the number, with the next beat, to a peer that sent a message on a topic that this node
   * is not on. Such a peer does not know the current list.
   */
  remind(nodeId: string): void {
    if (this.#init.members.all.has(nodeId)) this.#untold.add(nodeId);
  }

  /**
   * Answers a pull. A new list is sent whenever the peer asks for it; an unchanged list is sent
   * only within the peer's ration. Beyond the ration, this throws `resource_exhausted`; a malformed
   * question throws `invalid_argument`.
   */
  answer({ nodeId, limits }: ConnectedMember, question: Uint8Array): Uint8Array {
    const { self, mount, peers } = this.#init;
    const { seq } = this.#sync;
    const isAllowed =
      limits.listed !== seq ||
      limits.lists.take(mount.clock.now(), () => peers.report(nodeId, 'bad'));
    if (!isAllowed)
      throw stackless(
        'resource_exhausted',
        'the list of topics has not changed and was requested too often',
      );
    const between = { teller: self, hearer: nodeId };
    const answer = encodeList(between, question, seq, this.#listed, mount.random);
    if (answer === undefined)
      throw stackless('invalid_argument', 'the request for the list of topics is malformed');
    limits.listed = seq;
    return answer;
  }

  get due(): number {
    return this.#sync.wakeAt;
  }

  /**
   * Repeats the number to neighbors, so that no peer stays out of date after a lost message, and
   * does what is to be retried. The number is not repeated to all connected peers, because then
   * unneeded connections could never become idle.
   */
  wake(now: number): void {
    if (!this.#sync.beat(now)) return;
    const neighbors = [...this.#init.sessions.values()].flatMap(
      ({ overlay }) => overlay?.neighbors() ?? [],
    );
    this.#tell(new Set([...this.#untold, ...neighbors]));
    for (const nodeId of [...this.#unpulled]) {
      const member = this.#init.members.all.get(nodeId);
      if (member !== undefined) void this.#pull(member);
    }
  }

  /** Sends the number to peers. Those that can't take it now get it with the next beat. */
  #tell(nodeIds: Iterable<string>): void {
    const number = { seq: this.#sync.seq, empty: this.#sync.own === undefined };
    for (const nodeId of nodeIds) {
      const remote = this.#init.members.remoteOf(nodeId);
      if (remote === undefined) continue;
      this.#untold.delete(nodeId);
      try {
        if (!this.#init.mount.trySend(remote, 'interest', number)) this.#untold.add(nodeId);
      } catch {
        // The peer doesn't speak gossip.
      }
    }
  }

  /** Pulls the list of a peer; if that fails, again with the next beat. */
  async #pull(member: ConnectedMember): Promise<void> {
    const { nodeId, instance, limits } = member;
    const remote = member.connection.current;
    this.#unpulled.delete(nodeId);
    if (remote === undefined) return this.#sync.pullFailed(nodeId, instance);
    if (!limits.pulls.tryTake(this.#init.mount.clock.now())) {
      this.#sync.pullFailed(nodeId, instance);
      return void this.#unpulled.add(nodeId);
    }
    const question = askForList(this.#init.mount.random);
    try {
      const answer = decodeList(question, await this.#init.mount.send(remote, 'pull', question));
      if (answer === undefined) throw stackless('invalid_argument', 'the list is malformed');
      if (this.#take(member, answer.seq, answer.kept)) void this.#pull(member);
    } catch (error) {
      // The peer doesn't speak gossip, or has stopped.
      if (error instanceof TransportError && error.code === 'unimplemented')
        return void this.#take(member, 0, undefined);
      this.#sync.pullFailed(nodeId, instance);
      if (this.#init.members.all.get(nodeId) !== member) return;
      this.#unpulled.add(nodeId);
      this.#tellMembers(member);
    }
  }

  /**
   * Processes the list of a peer. Returns true if a newer list is known to exist and should be
   * pulled.
   */
  #take(member: ConnectedMember, seq: number, value: Uint8Array | undefined): boolean {
    const now = this.#init.mount.clock.now();
    const { again } = this.#sync.pulled(member.nodeId, member.instance, { seq, value }, now);
    this.#tellMembers(member);
    return again;
  }

  /** Reports which topics are on the list of a peer that was pulled last. */
  #tellMembers(member: ConnectedMember): void {
    const { members, sessions } = this.#init;
    members.told(member, new Set(this.#recognized(member.nodeId, [...sessions.values()])));
  }

  /** Returns those of the topics that are on the list of a peer, as keys in hex. */
  #recognized(nodeId: string, topics: readonly TopicSession[]): string[] {
    const kept = this.#sync.of(nodeId);
    if (kept === undefined || topics.length === 0) return [];
    const isListed = recognizerOf({ teller: nodeId, hearer: this.#init.self }, kept);
    return topics.filter(({ key }) => isListed(key.bytes)).map(({ key }) => key.hex);
  }
}
