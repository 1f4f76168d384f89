// Attackers on a topic: they speak the protocol, hold links, and pass nothing on.

import { type OverlayFactory, partialView } from '@trunkline/gossip';
import { OutputQueue } from '@trunkline/peers/internal';
import type { Random } from '@trunkline/transport-core';
import type { PartialViewMessage } from '../../../../packages/gossip/dist/hyparview/message.js';
import type {
  Overlay,
  OverlayInput,
  OverlayOutput,
  OverlaySetup,
} from '../../../../packages/gossip/dist/overlay/overlay.js';

/** State that the attackers share. Ids are node ids. */
export interface SybilGroup {
  readonly ids: readonly string[];
  /** The node from which they request links; undefined for all nodes except the attackers. */
  readonly target?: string | undefined;
  /** Milliseconds between two requests of one attacker. */
  readonly press: number;
  /** True as soon as attackers that behaved well until then stop passing messages on. */
  isMute: boolean;
}

/**
 * Creates an overlay of attackers that request links of every peer, give a link to every peer that
 * asks, name only attackers, and pass no messages on.
 */
export function sybils(group: SybilGroup): OverlayFactory {
  return { ...partialView(), create: (setup) => new Sybil(setup, group) };
}

/**
 * Creates an overlay of attackers that behave well until `group.isMute` is set. From then on they
 * neither pass messages on nor give notice of any.
 */
export function sleepers(group: SybilGroup): OverlayFactory {
  const honest = partialView();
  return {
    ...honest,
    create: (setup) => {
      const overlay = honest.create(setup);
      const poll = overlay.poll.bind(overlay);
      overlay.poll = () => {
        let output = poll();
        while (output !== undefined && group.isMute && passesOn(output)) output = poll();
        return output;
      };
      return overlay;
    },
  };
}

function passesOn(output: OverlayOutput): boolean {
  return (
    output.type === 'push' || (output.type === 'send-control' && output.control.kind === 'ihave')
  );
}

class Sybil implements Overlay {
  readonly wanted = 0;
  readonly passesOn = true;
  readonly #outputs = new OutputQueue<OverlayOutput>();
  readonly #random: Random;
  readonly #group: SybilGroup;
  /** Connected peers that are not attackers. */
  readonly #met = new Set<string>();
  readonly #links = new Set<string>();
  #pressAt: number;
  #request = 0;

  constructor({ random, now }: OverlaySetup, group: SybilGroup) {
    this.#random = random;
    this.#group = group;
    this.#pressAt = now + random() * group.press;
  }

  handle(now: number, input: OverlayInput): void {
    if (input.type === 'wake') this.#wake(now);
    else if (input.type === 'viewed') this.#viewed(input.from, input.message);
    else if (input.type === 'peer-up') {
      if (!this.#group.ids.includes(input.peer)) this.#met.add(input.peer);
    } else if (input.type === 'peer-down') {
      this.#met.delete(input.peer);
      this.#unlink(input.peer);
    } else if (input.type === 'lost') this.#unlink(input.peer);
  }

  poll(): OverlayOutput | undefined {
    return this.#outputs.poll();
  }

  get wakeAt(): number {
    return this.#pressAt;
  }

  unsent(): { readonly messages: number; readonly bytes: number } {
    return { messages: 0, bytes: 0 };
  }

  #wake(now: number): void {
    if (now < this.#pressAt) return;
    this.#pressAt = now + this.#group.press;
    const victims = [...this.#met].filter((peer) => peer === (this.#group.target ?? peer));
    const victim = victims[Math.floor(this.#random() * victims.length)];
    if (victim === undefined) return;
    const request = ++this.#request;
    const kind = request % 4;
    if (this.#links.has(victim))
      this.#view(victim, {
        type: 'shuffle',
        origin: this.#other(),
        id: request,
        ttl: 6,
        peers: this.#lies(),
      });
    else if (kind === 0) this.#view(victim, { type: 'join', request });
    else this.#view(victim, { type: 'neighbor', request, high: kind !== 1, full: false });
  }

  #viewed(from: string, message: unknown): void {
    if (this.#group.ids.includes(from)) return;
    const said = message as PartialViewMessage;
    if (said.type === 'accept') this.#link(from);
    else if (said.type === 'disconnect') this.#unlink(from);
    else if (said.type === 'shuffle')
      this.#view(from, { type: 'shuffle-reply', id: said.id, peers: this.#lies() });
    else if (said.type === 'join' || said.type === 'neighbor') {
      this.#link(from);
      this.#view(from, { type: 'accept', request: said.request, free: this.#other() });
    }
  }

  #link(peer: string): void {
    if (this.#links.has(peer)) return;
    this.#links.add(peer);
    this.#outputs.add({ type: 'neighbor-up', peer });
  }

  #unlink(peer: string): void {
    if (!this.#links.delete(peer)) return;
    this.#outputs.add({ type: 'neighbor-down', peer, cause: 'lost', error: undefined });
  }

  #view(to: string, message: PartialViewMessage): void {
    this.#outputs.add({ type: 'send-view', to, message });
  }

  #other(): string {
    return this.#group.ids[Math.floor(this.#random() * this.#group.ids.length)]!;
  }

  #lies(): string[] {
    return Array.from({ length: 7 }, () => this.#other());
  }

  takesFrom(): boolean {
    return false;
  }

  neighbors(): readonly string[] {
    return [...this.#links];
  }

  snapshot(): unknown {
    return { links: this.#links.size };
  }
}
