// A status machine for tests, with a method for each input.

import { seededRandom } from '@trunkline/transport-core/testing';
import { type StatusInput, type StatusOutput, StatusSync } from '../status-sync.ts';

export const create = (seed = 1, options: { interval?: number; pullTimeout?: number } = {}) =>
  new TestSync({ random: seededRandom(seed), now: 0, ...options });

/** A machine whose methods each pass in one input and return the content of its outputs. */
export class TestSync extends StatusSync {
  outputs(now: number, input: StatusInput): StatusOutput[] {
    this.handle(now, input);
    const all: StatusOutput[] = [];
    for (let one = this.poll(); one !== undefined; one = this.poll()) all.push(one);
    return all;
  }

  set(value: Uint8Array | undefined, now: number): void {
    this.outputs(now, { type: 'set', value });
  }

  connected(nodeId: string, instance: string, now: number): StatusOutput | undefined {
    return this.outputs(now, { type: 'connected', nodeId, instance })[0];
  }

  gone(nodeId: string): void {
    this.outputs(0, { type: 'gone', nodeId });
  }

  /** Returns true if the status should be pulled. */
  heard(nodeId: string, instance: string, seq: number, now: number): boolean {
    return this.outputs(now, { type: 'heard', nodeId, instance, seq })[0]?.type === 'pull';
  }

  pulled(
    nodeId: string,
    instance: string,
    seq: number,
    value: Uint8Array | undefined,
    now: number,
  ): { readonly changed: boolean; readonly again: boolean } {
    const input = { type: 'pulled', nodeId, instance, seq, value } as const;
    const types = this.outputs(now, input).map(({ type }) => type);
    return { changed: types.includes('changed'), again: types.includes('pull') };
  }

  pullFailed(nodeId: string, instance: string, now: number): void {
    this.outputs(now, { type: 'pull_failed', nodeId, instance });
  }

  /** Returns the number to broadcast. */
  beat(now: number): { readonly seq: number } | undefined {
    const [output] = this.outputs(now, { type: 'wake' });
    return output?.type === 'broadcast' ? { seq: output.seq } : undefined;
  }
}

/** A StatusSync with one connected peer, 'a', of instance 'i1'. */
export function withPeer() {
  const sync = create();
  sync.connected('a', 'i1', 0);
  return sync;
}
