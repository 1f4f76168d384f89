// Exact checks of queues, bags and sets in nearly linear time, for histories that meet their
// conditions. Each looks for the few patterns that every violation contains.

import type { QueueCommand, QueueResult, SetCommand, SetResult } from './commands.ts';
import type { ObjectCall } from './object-history.ts';

/** The decision about a history: the calls of the pattern that was found, or none. */
export interface Pattern<Command, Result> {
  /** Calls that no order explains; empty if the history is linearizable. */
  readonly calls: readonly ObjectCall<Command, Result>[];
  readonly reason: string;
}

type QueueCall = ObjectCall<QueueCommand, QueueResult>;
type SetCall = ObjectCall<SetCommand, SetResult>;

/** A value with the calls that put it in and took it out, and the times that follow from them. */
interface Item {
  readonly value: string;
  readonly put: QueueCall;
  readonly take: QueueCall | undefined;
  /** The value is certainly in from here ... */
  readonly since: number;
  /** ... until here. */
  readonly until: number;
}

/**
 * Decides about a queue, or about a bag (`isOrdered` false), whose values are all different. If the
 * outcome of a dequeue is unknown, it only finds violations that show without it. Returns undefined
 * if it cannot tell. These are the four patterns of
 * Henzinger, Sezgin and Vafeiadis (Aspect-Oriented Linearizability Proofs, CONCUR 2013).
 */
export function queuePattern(
  calls: readonly QueueCall[],
  isOrdered: boolean,
): Pattern<QueueCommand, QueueResult> | undefined {
  const puts = new Map<string, QueueCall>();
  const takes = new Map<string, QueueCall>();
  const empties: QueueCall[] = [];
  let hasUnknown = false;
  let twice: Pattern<QueueCommand, QueueResult> | undefined;
  for (const call of calls) {
    const { command, outcome, result } = call;
    if (outcome === 'failed') continue;
    if (command.op === 'enqueue') {
      if (puts.has(command.value)) return undefined;
      puts.set(command.value, call);
    } else if (outcome !== 'ok') hasUnknown = true;
    else if (result === undefined) return undefined;
    else if (result === null) empties.push(call);
    else if (takes.has(result))
      twice ??= { calls: [takes.get(result)!, call], reason: `${result} was dequeued twice` };
    else takes.set(result, call);
  }
  for (const [value, take] of takes) {
    const put = puts.get(value);
    if (put === undefined || put.called > take.returned!)
      return { calls: [take], reason: `${value} was dequeued, though nothing had enqueued it` };
  }
  if (twice !== undefined) return twice;
  const items: Item[] = [];
  for (const [value, put] of puts) {
    const take = takes.get(value);
    // A dequeue of unknown outcome may have taken any value that no other one took.
    if (take === undefined && (put.outcome !== 'ok' || hasUnknown)) continue;
    const since = put.outcome === 'ok' ? put.returned! : take!.returned!;
    items.push({ value, put, take, since, until: take?.called ?? Number.POSITIVE_INFINITY });
  }
  const found = (isOrdered ? overtaking(items) : undefined) ?? falselyEmpty(items, empties);
  return found ?? (hasUnknown ? undefined : LINEARIZABLE);
}

/** Finds a value that came out before another one that had certainly gone in before it. */
function overtaking(items: readonly Item[]): Pattern<QueueCommand, QueueResult> | undefined {
  const bySince = [...items].sort((a, b) => a.since - b.since);
  const byCall = [...items].sort((a, b) => a.put.called - b.put.called);
  let next = 0;
  let latest: Item | undefined;
  for (const item of byCall) {
    for (; next < bySince.length && bySince[next]!.since < item.put.called; next++)
      if (latest === undefined || bySince[next]!.until > latest.until) latest = bySince[next]!;
    const out = item.take?.returned;
    if (latest === undefined || out === undefined || out >= latest.until) continue;
    return {
      calls: [
        latest.put,
        item.put,
        item.take!,
        ...(latest.take === undefined ? [] : [latest.take]),
      ],
      reason: `${item.value} was dequeued before ${latest.value}, which had been enqueued before it`,
    };
  }
  return undefined;
}

/** Finds a dequeue that found nothing, though some value was in at each moment of it. */
function falselyEmpty(
  items: readonly Item[],
  empties: readonly QueueCall[],
): Pattern<QueueCommand, QueueResult> | undefined {
  const inside = items.filter(({ since, until }) => since < until);
  inside.sort((a, b) => a.since - b.since);
  const byCall = [...empties].sort((a, b) => a.called - b.called);
  let next = 0;
  /** The values that cover the time up to the end of the last one without a gap. */
  let cover: Item[] = [];
  for (const empty of byCall) {
    const end = () => cover.at(-1)?.until ?? Number.NEGATIVE_INFINITY;
    const advance = (time: number) => {
      for (; next < inside.length && inside[next]!.since < time; next++) {
        const item = inside[next]!;
        if (item.since > end()) cover = [];
        if (item.until > end()) cover.push(item);
      }
    };
    advance(empty.called);
    while (end() > empty.called && end() < empty.returned!) {
      const before = end();
      advance(before);
      if (end() === before) break;
    }
    if (end() < empty.returned!) continue;
    const first = cover.findIndex(({ until }) => until > empty.called);
    const chain = cover.slice(first);
    return {
      calls: [...chain.map(({ put }) => put), empty],
      reason: `a dequeue found nothing, though ${chain.map(({ value }) => value).join(', then ')} was in`,
    };
  }
  return undefined;
}

/**
 * Decides about a set that only grows: all adds are of different values, none of them found its
 * value, and all other calls read the whole set; otherwise undefined. The reads must be parts of
 * each other, which gives an order of all calls. It remains to see whether each call has a moment
 * in this order.
 */
export function setPattern(calls: readonly SetCall[]): Pattern<SetCommand, SetResult> | undefined {
  const adds = new Map<string, SetCall>();
  const reads: { call: SetCall; values: readonly string[] }[] = [];
  for (const call of calls) {
    const { command, outcome, result } = call;
    if (outcome === 'failed') continue;
    if (command.op === 'read') {
      if (outcome === 'ok' && result !== undefined)
        reads.push({ call, values: result as readonly string[] });
    } else if (command.op !== 'add' || adds.has(command.value) || result === false)
      return undefined;
    else adds.set(command.value, call);
  }
  reads.sort((a, b) => a.values.length - b.values.length || a.call.called - b.call.called);
  const seen = new Set<string>();
  let now = 0;
  let latest: SetCall | undefined;
  /** Takes a call next; returns the pattern if its time is over. */
  const take = (call: SetCall): Pattern<SetCommand, SetResult> | undefined => {
    if (call.called > now) [now, latest] = [call.called, call];
    if (call.outcome !== 'ok' || now < call.returned!) return undefined;
    const reason = 'the reads show that the first call took effect before the second one';
    return { calls: [latest!, call], reason };
  };
  let before: SetCall | undefined;
  for (const { call, values } of reads) {
    const fresh = values.filter((value) => !seen.has(value));
    const strange = fresh.find((value) => {
      const add = adds.get(value);
      return add === undefined || add.called > call.returned!;
    });
    if (strange !== undefined)
      return { calls: [call], reason: `${strange} was read, though nothing had added it` };
    if (new Set(values).size < values.length)
      return { calls: [call], reason: 'a value was read twice' };
    if (values.length - fresh.length < seen.size)
      return {
        calls: [before!, call],
        reason: 'each of two reads misses a value of the other one',
      };
    const added = fresh.map((value) => adds.get(value)!).sort((a, b) => a.called - b.called);
    for (const next of [...added, call]) {
      const wrong = take(next);
      if (wrong !== undefined) return wrong;
    }
    for (const value of fresh) seen.add(value);
    before = call;
  }
  const rest = [...adds].flatMap(([value, add]) => (seen.has(value) ? [] : [add]));
  for (const add of rest.sort((a, b) => a.called - b.called)) {
    const wrong = add.outcome === 'ok' ? take(add) : undefined;
    if (wrong !== undefined) return wrong;
  }
  return LINEARIZABLE;
}

const LINEARIZABLE = { calls: [], reason: '' };
