// Detects two live nodes with one key. The newest instance of a node replaces older instances, as
// it must after a restart. If an instance comes back after it was replaced, there was no restart:
// two instances are alive and would replace each other again and again. This module has no clock:
// `now` is passed in.

import type { TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';

interface Replaced {
  /** Time at which the refusal ends; undefined if the instance has not come back. */
  until: number | undefined;
  /** True if a refusal of the instance was reported. */
  told: boolean;
}

export class Twins {
  /** Replaced instances by node id and instance, oldest first. */
  readonly #replaced = new Map<string, Replaced>();

  /** Records that an instance of a node was replaced by another one. */
  replaced(nodeId: string, instance: string): void {
    const key = keyOf(nodeId, instance);
    this.#replaced.delete(key);
    this.#replaced.set(key, { until: undefined, told: false });
    if (this.#replaced.size <= MOST) return;
    for (const oldest of this.#replaced.keys()) return void this.#replaced.delete(oldest);
  }

  /**
   * Returns true if an instance should be refused because it was replaced and came back. Call it
   * only while another instance is connected: the first call begins a period of 30 seconds, and the
   * first call after that period forgets the instance, which is then judged like any other.
   */
  isTwin(nodeId: string, instance: string, now: number): boolean {
    const key = keyOf(nodeId, instance);
    const replaced = this.#replaced.get(key);
    if (replaced === undefined) return false;
    replaced.until ??= now + REFUSED;
    if (now < replaced.until) return true;
    this.#replaced.delete(key);
    return false;
  }

  /**
   * Returns true if a refusal should be reported, and remembers that. The refusal of a twin is
   * reported once after it was replaced, and never if the replacement is forgotten; any other
   * refusal is always reported.
   */
  isNews(error: TransportError): boolean {
    const key = twinOf(error);
    if (key === undefined) return true;
    const replaced = this.#replaced.get(key);
    const isNews = replaced?.told === false;
    if (replaced !== undefined) replaced.told = true;
    return isNews;
  }
}

/** Creates the error with which a twin is refused. It is sent to the twin, so both ends see it. */
export function twinError(nodeId: string, instance: string): TransportError {
  const message = `node ${nodeId} is connected as another instance, which had replaced this one (${instance}): two running nodes have the same key. This instance is refused for ${REFUSED / 1000} s; give each node its own key, or stop one of them`;
  return reasonError('duplicate', message, { metadata: { nodeId, instance } });
}

/** Returns the key of the twin if the error was made here ('local') to refuse a twin. */
export function twinOf({ reason, origin, metadata }: TransportError): string | undefined {
  const { nodeId, instance } = metadata ?? {};
  return reason === 'duplicate' &&
    origin === 'local' &&
    nodeId !== undefined &&
    instance !== undefined
    ? keyOf(nodeId, instance)
    : undefined;
}

function keyOf(nodeId: string, instance: string): string {
  return `${nodeId}/${instance}`;
}

/** Milliseconds for which a twin is refused. */
const REFUSED = 30_000;
/** Maximum number of replaced instances that are remembered. Each restart of a peer adds one. */
const MOST = 1_024;
