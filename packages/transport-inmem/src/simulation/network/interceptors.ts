// Targeted faults: functions that look at each message as it arrives, and say what becomes of it.

import type { Codec } from '@trunkline/transport-core';

/** A message as an interceptor sees it, at its arrival. */
export interface InterceptedMessage {
  /** Names of nodes, or of clients. */
  readonly from: string;
  readonly to: string;
  /** 'bytes': a chunk of a stream, of which nothing more is known. */
  readonly kind: 'request' | 'oneway' | 'response' | 'error' | 'item' | 'bytes';
  /** Empty where it is not known. */
  readonly protocol: string;
  readonly method: string;
  /** Virtual milliseconds. */
  readonly at: number;
  /** As encoded; of a message above 64 KiB its first packet. */
  readonly payload: Uint8Array;
  /** Decoded by the method's codec at each access; the payload where there is none. */
  readonly value: unknown;
}

/**
 * What becomes of a message. A dropped one is lost as by chance (a dropped item ends its call, a dropped chunk its connection);
 * `delay` is in milliseconds, and lets others overtake it, but not what belongs to it: the rest of a long message, or of a stream. `mutate`
 * is the value that arrives instead (bytes, for kind 'bytes'): of one packet; an item no longer than it was, a one-way no longer than
 * 64 KiB in all that its reader has not taken yet.
 */
export type Verdict = 'pass' | 'drop' | { readonly delay: number } | { readonly mutate: unknown } | undefined;

export type Interceptor = (message: InterceptedMessage) => Verdict;

export class Interceptors {
  readonly #all = new Set<Interceptor>();

  clear(): void {
    this.#all.clear();
  }

  get empty(): boolean {
    return this.#all.size === 0;
  }

  /** The returned function takes it out again. */
  add(interceptor: Interceptor): () => void {
    this.#all.add(interceptor);
    return () => void this.#all.delete(interceptor);
  }

  /** The first verdict other than to let it pass. */
  judge(message: InterceptedMessage): Exclude<Verdict, 'pass' | undefined> | undefined {
    for (const interceptor of this.#all) {
      const verdict = interceptor(message);
      if (verdict === undefined || verdict === 'pass') continue;
      if (verdict === 'drop' || isAction(verdict)) return verdict;
      throw new TypeError(`intercept: a verdict is 'pass', 'drop', { delay } or { mutate }, got ${JSON.stringify(verdict)}`);
    }
    return undefined;
  }

  /** A chunk of a stream: what arrives instead; undefined: it is dropped. */
  chunk(from: string, to: string, at: number, payload: Uint8Array): Uint8Array | undefined {
    const verdict = this.judge({ from, to, kind: 'bytes', protocol: '', method: '', at, payload, value: payload });
    if (verdict === undefined) return payload;
    if (verdict === 'drop') return undefined;
    if ('mutate' in verdict && verdict.mutate instanceof Uint8Array) return verdict.mutate;
    throw new TypeError("intercept: a chunk of a stream can pass, be dropped or be mutated into bytes; to delay it, use the link's latency");
  }
}

function isAction(verdict: unknown): boolean {
  if (typeof verdict !== 'object' || verdict === null) return false;
  const { delay } = verdict as { delay?: unknown };
  return 'mutate' in verdict || (typeof delay === 'number' && delay >= 0 && delay < Number.POSITIVE_INFINITY);
}

/** A message of a method, decoded when somebody looks. */
export class MessageView implements InterceptedMessage {
  readonly from: string;
  readonly to: string;
  readonly kind: InterceptedMessage['kind'];
  readonly protocol: string;
  readonly method: string;
  readonly at: number;
  readonly payload: Uint8Array;
  readonly #codec: Codec<unknown, never> | undefined;

  constructor(message: Omit<InterceptedMessage, 'value'>, codec: Codec<unknown, never> | undefined) {
    const { from, to, kind, protocol, method, at, payload } = message;
    this.from = from;
    this.to = to;
    this.kind = kind;
    this.protocol = protocol;
    this.method = method;
    this.at = at;
    this.payload = payload;
    this.#codec = codec;
  }

  get value(): unknown {
    return this.#codec === undefined ? this.payload : this.#codec.decode(this.payload);
  }
}
