// A single partial view whose peers are played by a test.

import { seededRandom } from '@trunkline/transport-core/testing';
import type { PartialViewInput, PartialViewMessage } from '../message.ts';
import { type PartialViewConfig, type PartialViewOptions, partialViewConfig } from '../options.ts';
import { PartialView } from '../partial-view.ts';

export type Sent = { to: string; message: PartialViewMessage };

/**
 * One partial view with a record of everything that it does. `onSend` is called at each send.
 * Inputs that `onSend` gives reach the view before the other outputs are carried out.
 */
export class SingleView {
  readonly view: PartialView;
  readonly downs: string[] = [];
  readonly ups: string[] = [];
  sent: Sent[] = [];
  now = 0;
  onSend: ((to: string, message: PartialViewMessage) => void) | undefined;
  /** Peers whose score is 0. */
  readonly distrusted = new Set<string>();
  #isBusy = false;

  constructor(
    options: PartialViewOptions = {},
    seed = 1,
    constants: Partial<PartialViewConfig> = {},
  ) {
    this.view = new PartialView({
      self: 'me',
      random: seededRandom(seed),
      now: 0,
      isDistrusted: (peer) => this.distrusted.has(peer),
      config: { ...partialViewConfig({ mergeInterval: Infinity, ...options }), ...constants },
    });
  }

  /** Gives the view an input, and carries out its outputs. */
  tell(input: PartialViewInput): void {
    this.view.handle(this.now, input);
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let output = this.view.poll(); output !== undefined; output = this.view.poll()) {
      if (output.type === 'neighbor-up') this.ups.push(output.peer);
      else if (output.type === 'neighbor-down') this.downs.push(`${output.peer} ${output.cause}`);
      else {
        this.sent.push({ to: output.to, message: output.message });
        this.onSend?.(output.to, output.message);
      }
    }
    this.#isBusy = false;
  }

  take(): Sent[] {
    const sent = this.sent;
    this.sent = [];
    return sent;
  }

  receive(from: string, message: PartialViewMessage): Sent[] {
    this.tell({ type: 'received', from, message });
    return this.take();
  }

  /** Lets a peer ask for a link. Returns the messages sent. */
  asked(from: string, high = false): Sent[] {
    return this.receive(from, { type: 'neighbor', request: 1, high, full: false });
  }

  /** Lets the view ask these peers for links, which they accept. */
  chooses(...peers: string[]): void {
    this.tell({ type: 'found', nodes: peers, isChosen: true });
    while (!peers.every((peer) => this.view.isNeighbor(peer))) {
      for (const { to, message } of this.take()) this.accept(to, message);
      this.now += 250;
      this.tell({ type: 'wake' });
    }
    this.take();
  }

  accept(from: string, asked: PartialViewMessage): void {
    if (asked.type !== 'neighbor' && asked.type !== 'join') return;
    const message = { type: 'accept', request: asked.request, free: undefined } as const;
    this.tell({ type: 'received', from, message });
  }

  /** Lets a peer refuse a request, and name other nodes. */
  refuse(from: string, request: number, peers: readonly string[] = []): void {
    const message = { type: 'refuse', request, free: undefined, peers } as const;
    this.tell({ type: 'received', from, message });
  }

  /** Lets a peer bring a shuffle whose walk ends here. Returns the messages sent. */
  shuffled(from: string, origin: string, id: number, peers: readonly string[] = []): Sent[] {
    return this.receive(from, { type: 'shuffle', origin, id, ttl: 1, peers });
  }

  pass(time: number): Sent[] {
    this.now += time;
    this.tell({ type: 'wake' });
    return this.take();
  }
}

export const requestOf = (sent: Sent[], to: string) => {
  const asked = sent.find((one) => one.to === to && 'request' in one.message)!;
  return (asked.message as { request: number }).request;
};
export const types = (sent: Sent[]) => sent.map(({ to, message }) => `${message.type} ${to}`);
export const disconnect = (alive: boolean, peers: string[] = [], free?: string) =>
  ({ type: 'disconnect', alive, free, peers }) satisfies PartialViewMessage;
