// Plumtree machines on simulated links in virtual time, with random numbers from a seed.

import type { Random } from '@trunkline/transport-core';
import { type MessageId, messageKey } from '../../messages/message-id.ts';
import type { Control, Misbehavior, PlumtreeInput, PlumtreeOutput, Push } from '../message.ts';
import type { PlumtreeOptions } from '../options.ts';
import { Plumtree } from '../plumtree.ts';
import type { Links } from './overlay.ts';
import { Receiver } from './receiver.ts';

/** A message on a link. */
export type Sent = Push<number> | Control;

/** The nodes and links of a network. */
export interface NetworkOptions {
  readonly nodes: number;
  readonly random: Random;
  /** One-way latency of a link in milliseconds, drawn once for each link. */
  readonly latency: readonly [least: number, most: number];
  readonly options?: PlumtreeOptions | undefined;
  /** The share of messages that are lost. */
  readonly loss?: number | undefined;
  /** The share of messages that arrive twice. */
  readonly duplication?: number | undefined;
  /**
   * Maximum random delay of a message in milliseconds. Later messages can overtake a delayed one.
   */
  readonly jitter?: number | undefined;
  /** The share of pushes that find no room. There is room again after 20 to 200 ms. */
  readonly congestion?: number | undefined;
  /** Called for each message to a node that has crashed. */
  readonly unheard?: ((from: number, to: number) => void) | undefined;
}

/**
 * Handles a message instead of a node's machine.
 * @returns true if the machine should get the message as well.
 */
export type Double = (
  node: number,
  from: string,
  message: Sent,
  send: (to: string, message: Sent) => void,
) => boolean;

interface Link {
  readonly nodes: readonly [number, number];
  readonly latency: number;
  isUp: boolean;
  /**
   * A number that grows each time the link comes up. Messages in flight from an earlier life of the
   * link are lost.
   */
  life: number;
}

/** The deliveries of one message. */
interface Round {
  readonly reached: Set<number>;
  lastHop: number;
}

/** A network of Plumtree machines in virtual time. */
export class Network {
  readonly machines: Plumtree<number>[];
  readonly #receivers: Receiver[];
  /** The number of messages that each node has published. */
  readonly #published: number[];
  /** Message key → the nodes that have the message. */
  readonly rounds = new Map<string, Round>();
  readonly reports: { readonly by: string; readonly peer: string; readonly what: Misbehavior }[] =
    [];
  /** Messages sent since `resetTraffic`. */
  payloads = 0;
  control = 0;
  /** Deliveries of a message that a node already had; must remain 0. */
  repeated = 0;
  now = 0;
  readonly #settings: NetworkOptions;
  /** The events of each millisecond, in the order in which they happen. */
  readonly #agenda = new Map<number, (() => void)[]>();
  readonly #links = new Map<number, Link>();
  readonly #wakes: number[];
  readonly #doubles = new Map<number, Double>();
  readonly #crashed = new Set<number>();

  constructor(settings: NetworkOptions) {
    this.#settings = settings;
    const { nodes, options } = settings;
    const names = Array.from({ length: nodes }, (_, node) => nameOf(node));
    this.#wakes = new Array<number>(nodes).fill(Number.POSITIVE_INFINITY);
    this.#published = new Array<number>(nodes).fill(0);
    this.#receivers = names.map((name) => new Receiver(name, options));
    this.machines = names.map(
      (self, node) => new Plumtree<number>({ self, options, look: this.#receivers[node]!.look }),
    );
  }

  /** Lets another function handle the messages to a node before its machine gets them. */
  replace(node: number, double: Double): void {
    this.#doubles.set(node, double);
  }

  /**
   * Crashes a node: it neither sends nor receives any more. Its links stay up until `down` is
   * called.
   */
  crash(node: number): void {
    this.#crashed.add(node);
  }

  up(a: number, b: number): void {
    const { latency, random } = this.#settings;
    const fresh = () => ({
      nodes: [a, b] as const,
      latency: latency[0] + random() * (latency[1] - latency[0]),
      isUp: false,
      life: 0,
    });
    const link = this.#links.get(keyOf(a, b)) ?? fresh();
    this.#links.set(keyOf(a, b), link);
    if (link.isUp) return;
    link.isUp = true;
    link.life++;
    this.#feed(a, { type: 'neighbor-up', peer: nameOf(b) });
    this.#feed(b, { type: 'neighbor-up', peer: nameOf(a) });
  }

  down(a: number, b: number): void {
    const link = this.#links.get(keyOf(a, b));
    if (link === undefined || !link.isUp) return;
    link.isUp = false;
    this.#feed(a, { type: 'neighbor-down', peer: nameOf(b) });
    this.#feed(b, { type: 'neighbor-down', peer: nameOf(a) });
  }

  /** The pairs of nodes that were ever linked. */
  get links(): Links {
    return [...this.#links.values()].map(({ nodes }) => nodes);
  }

  publish(node: number, size = 1): MessageId {
    const id = { origin: nameOf(node), epoch: 1, sequence: this.#published[node]!++ };
    this.rounds.set(messageKey(id), { reached: new Set([node]), lastHop: 0 });
    const push = { kind: 'push', id, hops: 1, payload: node, size } as const;
    this.#feed(node, { type: 'publish', push });
    return id;
  }

  /** Delivers a message from a sender that is not a machine. */
  inject(from: number, to: number, message: Sent): void {
    this.#feed(to, { type: 'received', from: nameOf(from), message });
  }

  /** Lets `duration` milliseconds pass, rounded up. */
  run(duration: number): void {
    for (const end = Math.ceil(this.now + duration); ; this.now++) {
      for (const happen of this.#agenda.get(this.now) ?? []) happen();
      this.#agenda.delete(this.now);
      if (this.now === end) return;
    }
  }

  resetTraffic(): void {
    this.payloads = this.control = 0;
    this.rounds.clear();
  }

  /** Plans something for a time, or for the next whole millisecond. */
  #at(time: number, happen: () => void): void {
    const at = Math.max(Math.ceil(time), this.now);
    const others = this.#agenda.get(at);
    if (others === undefined) this.#agenda.set(at, [happen]);
    else others.push(happen);
  }

  /** Returns true if a push finds no room. Then there is room again after a while. */
  #isCongested(node: number, peer: string): boolean {
    const { congestion = 0, random } = this.#settings;
    if (congestion === 0 || random() >= congestion) return false;
    const after = 20 + random() * 180;
    this.#at(this.now + after, () => this.#feed(node, { type: 'writable', peer }));
    return true;
  }

  #send(node: number, to: string, message: Sent): void {
    if (this.#crashed.has(node)) return;
    const target = Number(to.slice(1));
    const link = this.#links.get(keyOf(node, target));
    if (link === undefined || !link.isUp) return;
    if (message.kind === 'push') this.payloads++;
    else this.control++;
    const { loss = 0, duplication = 0, jitter = 0, random } = this.#settings;
    if (loss > 0 && random() < loss) return;
    const copies = duplication > 0 && random() < duplication ? 2 : 1;
    const { life } = link;
    const from = nameOf(node);
    for (let i = 0; i < copies; i++) {
      this.#at(this.now + link.latency + (jitter > 0 ? random() * jitter : 0), () => {
        if (link.isUp && link.life === life) this.#arrive(from, target, message);
      });
    }
  }

  #arrive(from: string, target: number, message: Sent): void {
    if (this.#crashed.has(target)) return this.#settings.unheard?.(Number(from.slice(1)), target);
    const double = this.#doubles.get(target);
    const answer = (to: string, sent: Sent) => this.#send(target, to, sent);
    if (double !== undefined && !double(target, from, message, answer)) return;
    this.#feed(target, { type: 'received', from, message });
  }

  #feed(node: number, input: PlumtreeInput<number>): void {
    const machine = this.machines[node]!;
    const before = machine.counters.delivered;
    machine.handle(this.now, this.#receivers[node]!.take(input, this.now));
    if (machine.counters.delivered > before && input.type === 'received')
      this.#delivered(node, input.message as Push<number>);
    const poll = () => machine.poll() ?? machine.pollOwed();
    for (let output = poll(); output !== undefined; output = poll())
      this.#carryOut(node, machine, output);
    this.#plan(node, machine);
  }

  #delivered(node: number, { id, hops }: Push<number>): void {
    const round = this.rounds.get(messageKey(id));
    if (round === undefined) return;
    if (round.reached.has(node)) this.repeated++;
    round.reached.add(node);
    round.lastHop = Math.max(round.lastHop, hops);
  }

  #carryOut(node: number, machine: Plumtree<number>, output: PlumtreeOutput<number>): void {
    if (output.type === 'push') {
      if (this.#isCongested(node, output.to)) machine.handle(this.now, { type: 'no-room', output });
      else this.#send(node, output.to, output.push);
    } else if (output.type === 'send-control') this.#send(node, output.to, output.control);
    else if (output.type === 'misbehaved')
      this.reports.push({ by: nameOf(node), peer: output.peer, what: output.what });
  }

  #plan(node: number, machine: Plumtree<number>): void {
    const { wakeAt: due } = machine;
    if (due >= this.#wakes[node]!) return;
    this.#wakes[node] = due;
    this.#at(due, () => {
      if (this.#wakes[node] !== due) return;
      this.#wakes[node] = Number.POSITIVE_INFINITY;
      this.#feed(node, { type: 'wake' });
    });
  }
}

export function nameOf(node: number): string {
  return `n${node}`;
}

function keyOf(a: number, b: number): number {
  return Math.min(a, b) * 0x100_0000 + Math.max(a, b);
}
