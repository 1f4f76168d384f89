// The trace of a simulation: a hash over all events, and the most recent events as text. Two runs
// are the same if and only if their hashes are.

import type { NodeReport } from './node-report.ts';
import type { RecordedEvent, Recorder } from './recorder.ts';
import { createHasher } from './sha256.ts';

/** A trace as plain data, which can be passed from a worker thread. */
export interface TraceSummary {
  /**
   * SHA-256 in lower-case hex over all events. The same seed and code give the same hash on every
   * machine.
   */
  readonly hash: string;
  /** Number of events so far. */
  readonly events: number;
  /**
   * The most recent events, one line each, oldest first; at most 200. Timers and frames that only
   * maintain connections are left out.
   */
  readonly timeline: readonly string[];
  /**
   * The last state that each node reported with `state` of its context. A crashed node has none.
   */
  readonly states: Readonly<Record<string, string>>;
  /**
   * Every node and client: its state, the last lines of its log, the things that it waits for, and
   * its disk. At most 200 nodes and clients are reported.
   */
  readonly nodes: readonly NodeReport[];
}

/** Copies a trace into plain data. */
export function summaryOf({ hash, events, timeline, states, nodes }: TraceSummary): TraceSummary {
  return { hash, events, timeline, states, nodes };
}

/** The kinds of records. Their numbers are part of the hash. */
export const TraceKind = {
  booted: 1,
  crashed: 2,
  fault: 3,
  timer: 4,
  sent: 5,
  arrived: 6,
  lost: 7,
  duplicated: 8,
  held: 9,
  dialed: 10,
  accepted: 11,
  refused: 12,
  ended: 13,
  reset: 14,
  stored: 15,
  note: 16,
  /** Frames that only maintain a connection: hellos, credit, pings. */
  control: 17,
  state: 18,
} as const;

/** The kind of a record. */
export type TraceKind = (typeof TraceKind)[keyof typeof TraceKind];

/** An event as `onRecord` of a trace receives it. */
export interface TraceRecord {
  /** The line of the event in a timeline. */
  readonly line: string;
  /** The exact virtual time, in milliseconds. */
  readonly at: number;
  /** The checksum of the data that was sent, stored or noted; 0 if there is none. */
  readonly check: number;
}

/** Collects records of a fixed size and hashes them 64 KiB at a time. */
export class Trace implements TraceSummary {
  events = 0;
  /**
   * Receives each event, to compare two runs: its line, and its time and the checksum of its bytes,
   * which the line does not show.
   */
  onRecord: ((event: TraceRecord) => void) | undefined;
  /** Called before virtual time advances, with the new time. */
  onAdvance: ((to: number) => void) | undefined;
  /**
   * Called before a callback of an event or a deferred callback runs, with the name of its owner
   * ('the network' or 'the simulation' without one), and with 'the scenario' when a drive ends. If
   * it throws, the run fails with that error.
   */
  onTurn: ((owner: string) => void) | undefined;
  /** Keeps the events, if the simulation records. */
  recorder: Recorder | undefined;
  /** Reports all nodes; set by their owner. */
  inspect: () => readonly NodeReport[] = () => [];
  readonly #clock: { readonly now: number };
  readonly #hasher = createHasher();
  readonly #bytes = new Uint8Array(RECORDS * RECORD);
  readonly #times = new Float64Array(this.#bytes.buffer);
  readonly #words = new Uint32Array(this.#bytes.buffer);
  #used = 0;
  readonly #states = new Map<string, string>();
  /** The block before the current one, for the timeline. */
  #before: Uint8Array | undefined;
  readonly #names: string[] = [''];
  readonly #numbers = new Map<string, number>([['', 0]]);
  readonly #lists = new WeakMap<object, readonly number[]>();
  /** Texts by the number of their event; only the most recent 1,000 are kept. */
  readonly #texts = new Map<number, string>();

  /** @param clock gives the virtual time of each event. */
  constructor(clock: { readonly now: number }) {
    this.#clock = clock;
  }

  /**
   * Returns the number of a name, for `record`: the name of a node or of a kind of message.
   *
   * @throws TypeError if there would be more than 65,535 names.
   */
  number(name: string): number {
    let number = this.#numbers.get(name);
    if (number !== undefined) return number;
    number = this.#names.length;
    if (number > MOST_NAMES)
      throw new TypeError(
        `a simulation traces at most ${MOST_NAMES} names of nodes and methods; '${name}' exceeds that`,
      );
    this.#names.push(name);
    this.#numbers.set(name, number);
    this.#hasher.update(encoder.encode(`${name}\n`));
    return number;
  }

  /** Returns the numbers of the names that belong to `key`; `names` is called only once per key. */
  numbers(key: object, names: () => readonly string[]): readonly number[] {
    let numbers = this.#lists.get(key);
    if (numbers === undefined)
      this.#lists.set(key, (numbers = names().map((name) => this.number(name))));
    return numbers;
  }

  /**
   * Records an event that happens now.
   *
   * @param names the nodes that it involves, as `pair` returns them.
   * @param detail the number of the name of the data that was sent or stored; 0 if there is none.
   * @param size in bytes; of a text in characters; of a boot, its number.
   * @param check the checksum of the bytes.
   * @param sent the number of the event in which this message was sent; only recorders get it.
   * @param call the number of the event that opened its call; only recorders get it.
   */
  record(
    kind: TraceKind,
    names: number,
    detail = 0,
    size = 0,
    check = 0,
    sent: number = NO_EVENT,
    call: number = NO_EVENT,
  ): void {
    const at = this.#clock.now;
    const record = this.#used++;
    this.#times[record * 3] = at;
    const word = record * 6 + 2;
    this.#words[word] = (kind << 16) | detail;
    this.#words[word + 1] = names;
    this.#words[word + 2] = size;
    this.#words[word + 3] = check;
    this.events++;
    this.recorder?.add({
      event: this.events - 1,
      at,
      kind: WORDS[kind]!,
      from: this.#names[names >>> 16]!,
      to: this.#names[names & 0xffff]!,
      what: this.#names[detail]!,
      size,
      text: this.#texts.get(this.events - 1),
      sent,
      call,
    });
    this.onRecord?.({ line: this.#line(this.#bytes, record, this.events - 1), at, check });
    if (this.#used === RECORDS) this.#turn();
  }

  /** Records an event that has a text: a fault, or a note of a node. */
  recordText(kind: TraceKind, from: number, text: string): void {
    this.#texts.set(this.events, text);
    if (this.#texts.size > TEXTS) this.#texts.delete(this.#texts.keys().next().value!);
    this.record(kind, pair(from, 0), 0, text.length, checksum(encoder.encode(text)));
  }

  /** Stores a node's state, and records an event if it has changed. Undefined removes the state. */
  recordState(from: number, text: string | undefined): void {
    const name = this.#names[from]!;
    if (text === undefined) this.#states.delete(name);
    if (text === undefined || this.#states.get(name) === text) return;
    this.#states.set(name, text);
    this.recordText(TraceKind.state, from, text);
  }

  get states(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#states);
  }

  get nodes(): readonly NodeReport[] {
    return this.inspect();
  }

  get hash(): string {
    return this.#hasher.hexWith(this.#bytes.subarray(0, this.#used * RECORD));
  }

  get timeline(): readonly string[] {
    const lines: string[] = [];
    const first = this.events - this.#used;
    for (let i = this.#used - 1; i >= 0 && lines.length < LINES; i--)
      this.#addLine(lines, this.#bytes, i, first + i);
    for (let i = RECORDS - 1; this.#before !== undefined && i >= 0 && lines.length < LINES; i--) {
      this.#addLine(lines, this.#before, i, first - RECORDS + i);
    }
    return lines.reverse();
  }

  #turn(): void {
    this.#hasher.update(this.#bytes);
    this.#before = this.#bytes.slice();
    this.#used = 0;
  }

  /**
   * Adds the line of an event unless it is a timer or a control frame: these are only hashed,
   * because they would hide the other events.
   */
  #addLine(lines: string[], bytes: Uint8Array, record: number, event: number): void {
    const kind = new DataView(bytes.buffer, record * RECORD, RECORD).getUint16(10, true);
    if (kind !== TraceKind.timer && kind !== TraceKind.control)
      lines.push(this.#line(bytes, record, event));
  }

  #line(bytes: Uint8Array, record: number, event: number): string {
    const view = new DataView(bytes.buffer, record * RECORD, RECORD);
    const [first, second, size] = [
      view.getUint32(8, true),
      view.getUint32(12, true),
      view.getUint32(16, true),
    ];
    return eventLine({
      at: view.getFloat64(0, true),
      kind: WORDS[first >>> 16]!,
      from: this.#names[second >>> 16]!,
      to: this.#names[second & 0xffff]!,
      what: this.#names[first & 0xffff]!,
      size,
      text: this.#texts.get(event),
    });
  }
}

/** Returns the line of an event in a timeline. */
export function eventLine(event: RecordedEvent): string {
  const { at, kind, from = '', to = '', what = '', size = 0 } = event;
  const amount = kind === 'booted' ? `boot ${size}` : `${size} B`;
  const { text = size > 0 ? amount : '' } = event;
  const nodes = to === '' ? from : `${from} → ${to}`;
  const more = [what, text].filter((each) => each !== '').join(', ');
  return `${formatTime(at).padStart(11)} ms  ${nodes.padEnd(12)} ${kind.padEnd(10)} ${more}`.trimEnd();
}

/** Combines the numbers of two names for `record`; 0 stands for none. */
export function pair(from: number, to: number): number {
  return (from << 16) | to;
}

/** Formats milliseconds with at most three decimal places. */
export function formatTime(milliseconds: number): string {
  return String(Math.round(milliseconds * 1_000) / 1_000);
}

/** Returns a 32-bit checksum (FNV-1a), which is enough to distinguish two runs. */
export function checksum(bytes: Uint8Array): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x0100_0193);
  return hash >>> 0;
}

/** Stands for no event in places that name an event by its number. */
export const NO_EVENT = -1;

const WORDS = Object.fromEntries(
  Object.entries(TraceKind).map(([word, number]) => [number, word]),
) as Readonly<Record<number, keyof typeof TraceKind>>;

/**
 * Size of a record in bytes: a time of 8 bytes, then four words for kind and detail, from and to,
 * size, and check.
 */
const RECORD = 24;
/** Number of records in a block, which is just under 64 KiB. */
const RECORDS = 2_730;
/** Highest number of a name, which has 16 bits. */
const MOST_NAMES = 0xffff;
/** Maximum number of lines of a timeline. */
const LINES = 200;
/** Maximum number of texts that are kept. */
const TEXTS = 1_000;
const encoder = new TextEncoder();
