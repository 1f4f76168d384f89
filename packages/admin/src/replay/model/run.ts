// Prepares a recording for drawing: nodes become lanes, messages get their ends, and each node has
// a state after each event.

import type { NodeReport, RecordedEvent, Recording } from '@trunkline/simulation';
import { type Bar, barsOf } from './bars.ts';
import { formatSize, formatTime } from './format.ts';

/** A node as a row of the picture. */
export interface Lane {
  readonly name: string;
  /** The periods of the recording during which the node was down, or had not booted. */
  readonly down: readonly { readonly from: number; readonly to: number }[];
  /** The node at the end of the recording; undefined if the recording has no report of it. */
  readonly last: NodeReport | undefined;
}

/**
 * A message from the event that sent it to one of its ends. A duplicated message has several ends.
 */
export interface Message {
  readonly from: string;
  readonly to: string;
  readonly what: string;
  readonly method: string;
  /** The position of the event that sent the message; undefined if that event was not recorded. */
  readonly sent: number | undefined;
  readonly sentAt: number;
  /**
   * The position of the event at which the message arrived or was lost; undefined while it is in
   * flight.
   */
  readonly end: number | undefined;
  readonly endAt: number;
  readonly fate: 'arrived' | 'lost' | 'duplicated' | 'in flight';
}

/** The state of a node after an event. */
export interface NodeState {
  readonly up: boolean;
  readonly state: string | undefined;
  readonly log: readonly { readonly at: number; readonly text: string }[];
  readonly calls: readonly {
    readonly method: string;
    readonly to: string;
    readonly since: number;
  }[];
}

/** A recording that can be shown. */
export interface Run {
  readonly recording: Recording;
  readonly lanes: readonly Lane[];
  readonly events: readonly RecordedEvent[];
  readonly messages: readonly Message[];
  /** The methods of all calls and messages, sorted. */
  readonly methods: readonly string[];
  /** The operations of a checked history that show the violation, as bars. */
  readonly bars: readonly Bar[];
  /** The position of the last event until the failure, or of the last event if there is none. */
  readonly failed: number;
  readonly from: number;
  readonly to: number;
}

/** The nodes and the method to which the viewer is limited. */
export interface Filter {
  /** The nodes that are not shown. */
  readonly hidden: ReadonlySet<string>;
  /** The method whose calls and messages are shown; empty for all. */
  readonly method: string;
}

/** Prepares a recording. */
export function createRun(recording: Recording): Run {
  const { events, nodes, start, at, failure } = recording;
  const from = events[0]?.at ?? 0;
  const bars = barsOf(failure?.operations ?? []);
  const names = new Set<string>(start.map(({ name }) => name));
  for (const { name } of nodes) names.add(name);
  for (const each of events)
    for (const name of [
      each.from,
      each.kind === 'called' || each.kind === 'returned' ? '' : each.to,
    ])
      if (name) names.add(name);
  const lanes = [...names].slice(0, LANES).map((name) => ({
    name,
    down: downTimes(name, recording, from),
    last: nodes.find((node) => node.name === name),
  }));
  const methods = new Set(events.map(methodOf).filter((method) => method !== ''));
  return {
    recording,
    lanes,
    events,
    messages: messagesOf(recording, (name) => lanes.find((lane) => lane.name === name)?.down ?? []),
    methods: [...methods].sort(),
    bars,
    failed: Math.max(
      0,
      events.findLastIndex((event) => event.at <= (failure?.at ?? at)),
    ),
    from: Math.min(from, ...bars.map((bar) => bar.from)),
    to: Math.max(at, events.at(-1)?.at ?? 0, from + 1),
  };
}

/** Says that a recording does not reach back to its failure; undefined if it does. */
export function missing({ failure, events, dropped }: Recording): string | undefined {
  const first = events[0]?.at;
  if (failure === undefined || dropped === 0 || first === undefined || failure.at >= first)
    return undefined;
  return `The events at ${formatTime(failure.at)}, the moment of the failure, were not kept: the recording begins at ${formatTime(first)}. Record more events with the option record.`;
}

/** Returns the method of a call or a message, such as 'election/vote'; empty if there is none. */
export function methodOf({ kind, what = '' }: RecordedEvent): string {
  if (kind === 'stored' || !what.includes('/')) return '';
  return what.split(' ', 1)[0]!;
}

/** Returns true if a filter shows an event. Events that concern all nodes are always shown. */
export function isShown(event: RecordedEvent, { hidden, method }: Filter): boolean {
  const { from, to } = event;
  if ((from !== undefined && hidden.has(from)) || (to !== undefined && hidden.has(to)))
    return false;
  if (method === '') return true;
  if (MESSAGES.has(event.kind)) return methodOf(event) === method;
  return true;
}

/**
 * Returns the states of the nodes after the event at a position; -1 stands for the start of the
 * recording.
 */
export function statesAt(
  { recording, lanes, events }: Run,
  position: number,
): Map<string, NodeState> {
  type Building = { -readonly [K in keyof NodeState]: NodeState[K] };
  const states = new Map<string, Building>();
  const calls = new Map<string, Map<number, NodeState['calls'][number]>>();
  for (const { name, last } of lanes) {
    const before = recording.start.find((node) => node.name === name);
    const isClient = last?.kind === 'client';
    states.set(name, { up: before?.up ?? isClient, state: before?.state, log: [], calls: [] });
    calls.set(name, new Map());
  }
  for (const { kind, from = '', to = '', what = '', text = '', call = 0, at } of events.slice(
    0,
    position + 1,
  )) {
    const node = states.get(from);
    if (node === undefined) continue;
    if (kind === 'booted' || kind === 'crashed') {
      node.up = kind === 'booted';
      node.state = undefined;
      calls.get(from)!.clear();
    } else if (kind === 'state') node.state = text;
    else if (kind === 'note') node.log = [...node.log, { at, text }].slice(-LOG);
    else if (kind === 'called') calls.get(from)!.set(call, { method: what, to, since: at });
    else if (kind === 'returned') calls.get(from)!.delete(call);
  }
  for (const [name, node] of states) node.calls = [...calls.get(name)!.values()];
  return states;
}

/** Describes an event in one line, without its time. */
export function describe({
  kind,
  from = '',
  to = '',
  what = '',
  size,
  text,
  call,
}: RecordedEvent): string {
  const bytes = size === undefined ? '' : `, ${formatSize(size)}`;
  switch (kind) {
    case 'fault':
      return `fault: ${text ?? ''}`;
    case 'called':
      return `${from} calls ${what} of ${to} (call ${call})`;
    case 'returned':
      return `${from} has ${text === undefined ? 'an answer' : text} from ${to} for ${what} (call ${call})`;
    case 'note':
      return `${from} logs: ${text ?? ''}`;
    case 'state':
      return `${from} is in the state: ${text ?? ''}`;
    case 'stored':
      return `${from}: ${what}${bytes}`;
    case 'sent':
      return `${from} sends ${what || 'bytes'} to ${to}${bytes}`;
    case 'arrived':
    case 'duplicated':
      return `${what || 'bytes'} from ${from} ${kind === 'arrived' ? 'arrives' : 'arrives again'} at ${to}${bytes}`;
    case 'lost':
      return `${what || 'a message'} from ${from} to ${to} is lost`;
    default:
      return [from, to === '' ? '' : `→ ${to}`, kind, what, text ?? ''].filter(Boolean).join(' ');
  }
}

/**
 * Returns the position of the event that is closest to a time, among the events that a filter
 * shows.
 */
export function nearest({ events }: Run, at: number, filter: Filter): number {
  let best = -1;
  for (const [position, event] of events.entries()) {
    if (!isShown(event, filter)) continue;
    if (best < 0 || Math.abs(event.at - at) < Math.abs(events[best]!.at - at)) best = position;
    if (event.at > at) break;
  }
  return best;
}

/**
 * Returns the position of the next shown event in a direction, or the same position if there is no
 * such event.
 */
export function step({ events }: Run, position: number, by: 1 | -1, filter: Filter): number {
  for (let next = position + by; next >= 0 && next < events.length; next += by)
    if (isShown(events[next]!, filter)) return next;
  return position;
}

/** Names an event with its time, for screen readers. */
export function label(run: Run, position: number): string {
  const event = run.events[position];
  if (event === undefined) return 'the start of the recording';
  return `${formatTime(event.at)}: ${describe(event)}`;
}

function messagesOf(
  { events, at: end }: Recording,
  downOf: (name: string) => Lane['down'],
): readonly Message[] {
  const sent = new Map<number, number>();
  const ended = new Set<number>();
  const messages: Message[] = [];
  const base = (event: RecordedEvent) => ({
    from: event.from ?? '',
    to: event.to ?? '',
    what: event.what ?? 'bytes',
    method: methodOf(event),
  });
  for (const [position, event] of events.entries()) {
    const { kind, at } = event;
    if (kind === 'sent' && event.event !== undefined) sent.set(event.event, position);
    if (kind !== 'arrived' && kind !== 'lost' && kind !== 'duplicated') continue;
    const origin = event.sent === undefined ? undefined : sent.get(event.sent);
    if (event.sent !== undefined && kind !== 'duplicated') ended.add(event.sent);
    messages.push({
      ...base(event),
      sent: origin,
      sentAt: origin === undefined ? at : events[origin]!.at,
      end: position,
      endAt: at,
      fate: kind,
    });
  }
  for (const [number, position] of sent) {
    if (ended.has(number)) continue;
    const event = events[position]!;
    const gone = downOf(event.to ?? '').find(({ to }) => to > event.at);
    messages.push({
      ...base(event),
      sent: position,
      sentAt: event.at,
      end: undefined,
      // The network drops messages to a node that is down without recording an event.
      endAt: gone === undefined ? end : Math.max(gone.from, event.at),
      fate: gone === undefined ? 'in flight' : 'lost',
    });
  }
  return messages.sort((one, other) => one.sentAt - other.sentAt);
}

function downTimes(name: string, { start, events, nodes, at }: Recording, from: number) {
  const isClient = nodes.some((node) => node.name === name && node.kind === 'client');
  const down: { from: number; to: number }[] = [];
  let since = (start.find((node) => node.name === name)?.up ?? isClient) ? undefined : from;
  for (const event of events) {
    if (event.from !== name) continue;
    if (event.kind === 'crashed') since ??= event.at;
    if (event.kind !== 'booted' || since === undefined) continue;
    down.push({ from: since, to: event.at });
    since = undefined;
  }
  return since === undefined ? down : [...down, { from: since, to: at }];
}

const MESSAGES = new Set(['sent', 'arrived', 'lost', 'duplicated', 'called', 'returned']);
/** Maximum number of nodes that are shown. */
const LANES = 200;
/** Maximum number of lines of a node's log that are shown. */
const LOG = 5;
