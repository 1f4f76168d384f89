// Handles the control messages of neighbors: notices, grafts, prunes, and answers to grafts. They
// are untrusted, so their format is checked before use, and the number of their items is limited.
// Processing stops at a malformed item; the items before that have taken effect.

import { isMessageId, type MessageId, messageKey } from '../messages/message-id.ts';
import { type Absent, type Control, type Graft, type IHave, isHops } from './message.ts';
import type { Neighbor } from './neighbor.ts';
import type { PlumtreeParts } from './parts.ts';

export class ControlHandler<P> {
  readonly #parts: PlumtreeParts<P>;

  constructor(parts: PlumtreeParts<P>) {
    this.#parts = parts;
  }

  received(neighbor: Neighbor, control: Control, now: number): void {
    const { counters, reports } = this.#parts;
    counters.controlReceived++;
    if (control?.kind === 'prune') return this.#onPrune(neighbor, now);
    if (control?.kind === 'ihave' && Array.isArray(control.notices))
      return this.#onIHave(neighbor, control, now);
    if (control?.kind === 'graft' && Array.isArray(control.ids))
      return this.#onGraft(neighbor, control, now);
    if (control?.kind === 'absent' && Array.isArray(control.ids))
      return this.#onAbsent(neighbor, control, now);
    reports.malformed(neighbor, now);
  }

  #onPrune(neighbor: Neighbor, now: number): void {
    const { counters, leafProbes, tree } = this.#parts;
    counters.prunesReceived++;
    // The peer prunes because a message has reached it twice, which shows that it listens.
    leafProbes.answered(neighbor, now);
    tree.leave(neighbor);
  }

  #onIHave(neighbor: Neighbor, { notices }: IHave, now: number): void {
    const { self, options, counters, history, leafProbes, missing, reports } = this.#parts;
    counters.noticesReceived += notices.length;
    neighbor.account.noticed += notices.length;
    const taken = neighbor.quota.takeNotices(notices.length, options.notices, now);
    let ignored = notices.length - taken;
    for (let i = 0; i < taken; i++) {
      const notice = notices[i];
      if (!isMessageId(notice?.id) || !isHops(notice.hops)) return reports.malformed(neighbor, now);
      const verdict = history.look(notice.id, now);
      // The notice proves that the peer has the message only if this node has it, too.
      if (verdict === 'seen') leafProbes.gave(neighbor, now);
      if (verdict !== 'new' && !neighbor.owed?.size) continue;
      const key = messageKey(notice.id);
      // The peer has the message, so this node no longer owes it to the peer.
      neighbor.owed?.delete(key);
      // Only this node publishes in its name, so another node's notice of a new message in that
      // name is false.
      if (verdict !== 'new' || notice.id.origin === self) continue;
      // `advertise` returns false if the peer has announced too many messages that are missing
      // here.
      if (!missing.advertise(notice.id, key, neighbor.id, notice.hops, now)) ignored++;
    }
    counters.ignored += ignored;
    if (ignored > 0) reports.add(neighbor, 'notice-flood', now);
  }

  #onGraft(neighbor: Neighbor, { ids }: Graft, now: number): void {
    const { options, counters, cache, leafProbes, outgoing, reports, tree } = this.#parts;
    counters.graftsReceived++;
    neighbor.account.requested += ids.length;
    // A graft without ids asks for nothing else.
    tree.graft(neighbor);
    const taken = neighbor.quota.takeGrafts(ids.length, options.notices, now);
    let ignored = ids.length - taken;
    const absent: MessageId[] = [];
    for (let i = 0; i < taken; i++) {
      const id = ids[i];
      if (!isMessageId(id)) return reports.malformed(neighbor, now);
      const key = messageKey(id);
      const cached = cache.get(key);
      if (cached === undefined) {
        absent.push(id);
      } else if (neighbor.quota.serve(key, options.backlog) > options.attempts) {
        ignored++;
      } else {
        leafProbes.answered(neighbor, now);
        outgoing.serve(neighbor, key, cached.push);
      }
    }
    const { idsEach } = outgoing;
    for (let i = 0; i < absent.length; i += idsEach)
      outgoing.control(neighbor, { kind: 'absent', ids: absent.slice(i, i + idsEach) });
    counters.ignored += ignored;
    if (ignored > 0) reports.add(neighbor, 'graft-flood', now);
  }

  #onAbsent(neighbor: Neighbor, { ids }: Absent, now: number): void {
    const { graftRequests, leafProbes, missing, outgoing, reports } = this.#parts;
    leafProbes.answered(neighbor, now);
    for (const id of ids.slice(0, outgoing.idsEach)) {
      if (!isMessageId(id)) return reports.malformed(neighbor, now);
      const key = messageKey(id);
      graftRequests.excuse(neighbor.id, key);
      missing.withdraw(key, neighbor.id, now);
    }
  }
}
