// Messages as interceptors see them: the content of a frame, and its value, which is decoded on
// access.

import type { Codec } from '@trunkline/transport-core';
import type { ProtocolMethod } from '@trunkline/transport-core/backend';
import { type Frame, Kind } from '@trunkline/transport-core/internal';
import type { InterceptedMessage } from './interceptors.ts';

/** The message that a frame carries. */
export interface FrameMessage {
  readonly kind: InterceptedMessage['kind'];
  /** Empty if not known; the same holds for `method`. */
  readonly protocol: string;
  readonly method: string;
  readonly payload: Uint8Array;
  /** Undefined if the frame's method is not known, or has no codec for this kind. */
  readonly codec: Codec<unknown, never> | undefined;
}

/**
 * Returns the message that a frame carries. Returns undefined for frames that interceptors do not
 * see.
 *
 * @param byCaller true if the caller has sent the frame, false if the callee has.
 */
export function messageOf(
  frame: Frame,
  method: ProtocolMethod | undefined,
  byCaller: boolean,
): FrameMessage | undefined {
  const kind = KINDS.get(frame.kind);
  if (kind === undefined) return undefined;
  const codec = codecOf(kind, method, byCaller);
  const { payload } = frame;
  if (method === undefined) return { kind, protocol: '', method: '', payload, codec };
  const protocol = method.full.slice(0, -method.name.length - 1);
  return { kind, protocol, method: method.name, payload, codec };
}

/** A message on its way from one node to another. */
export class MessageView implements InterceptedMessage {
  readonly from: string;
  readonly to: string;
  readonly kind: InterceptedMessage['kind'];
  readonly protocol: string;
  readonly method: string;
  readonly at: number;
  readonly payload: Uint8Array;
  readonly #codec: Codec<unknown, never> | undefined;

  constructor(message: FrameMessage, from: string, to: string, at: number) {
    this.from = from;
    this.to = to;
    this.kind = message.kind;
    this.protocol = message.protocol;
    this.method = message.method;
    this.at = at;
    this.payload = message.payload;
    this.#codec = message.codec;
  }

  get value(): unknown {
    return this.#codec === undefined ? this.payload : this.#codec.decode(this.payload);
  }
}

function codecOf(
  kind: InterceptedMessage['kind'],
  method: ProtocolMethod | undefined,
  byCaller: boolean,
): Codec<unknown, never> | undefined {
  if (kind === 'request' || kind === 'oneway') return method?.request;
  if (kind === 'response') return method?.response;
  return kind === 'item' ? (byCaller ? method?.upload : method?.download) : undefined;
}

const KINDS = new Map<number, InterceptedMessage['kind']>([
  [Kind.REQUEST, 'request'],
  [Kind.ONEWAY, 'oneway'],
  [Kind.RESPONSE, 'response'],
  [Kind.ERROR, 'error'],
  [Kind.ITEM, 'item'],
]);
