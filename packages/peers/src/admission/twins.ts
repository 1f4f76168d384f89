// Two live nodes with one key. The newest instance of a node replaces the others, as a restart has to; one that comes back after that
// was no restart, and would replace the newest in turn, again and again. Pure.

import { reasonError, type TransportError } from '@trunkline/transport-core';

interface Replaced {
  /** Refused until then; undefined: it has not come back. */
  until: number | undefined;
  told: boolean;
}

export class Twins {
  /** Instances that were replaced, by node id and instance, those longest ago first. */
  readonly #replaced = new Map<string, Replaced>();

  /** An instance of a node was replaced by another one. */
  replaced(nodeId: string, instance: string): void {
    const key = keyOf(nodeId, instance);
    this.#replaced.delete(key);
    this.#replaced.set(key, { until: undefined, told: false });
    if (this.#replaced.size <= MOST) return;
    for (const oldest of this.#replaced.keys()) return void this.#replaced.delete(oldest);
  }

  /**
   * Is it an instance that was replaced and comes back, while the one that replaced it is connected? Then it is refused for 30 seconds
   * from the first time; after that it is judged as any other.
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

  /** Is a refusal to be told? That of a twin is told once, all others always. */
  isNews(error: TransportError): boolean {
    const key = twinOf(error);
    if (key === undefined) return true;
    const replaced = this.#replaced.get(key);
    const isNews = replaced?.told === false;
    if (replaced !== undefined) replaced.told = true;
    return isNews;
  }
}

/** Why a twin is refused, as both ends read it. */
export function twinError(nodeId: string, instance: string): TransportError {
  const message = `node ${nodeId} is connected as another instance, which had replaced this one (${instance}): two live nodes have one key. This one is refused for ${REFUSED / 1000} s; give each node a key of its own, or stop one`;
  return reasonError('duplicate', message, { metadata: { nodeId, instance } });
}

/** Was it refused here as a twin? Gives what stands for it. */
export function twinOf({ reason, origin, metadata }: TransportError): string | undefined {
  const { nodeId, instance } = metadata ?? {};
  return reason === 'duplicate' && origin === 'local' && nodeId !== undefined && instance !== undefined ? keyOf(nodeId, instance) : undefined;
}

function keyOf(nodeId: string, instance: string): string {
  return `${nodeId}/${instance}`;
}

/** Milliseconds. */
const REFUSED = 30_000;
/** Replaced instances that are remembered: of far more nodes than start twice at a time. */
const MOST = 1_024;
