// Attributes of spans, as the semantic conventions name them.

import { type Attributes, type Span, SpanStatusCode } from '@opentelemetry/api';
import { type ErrorCode, type Remote, TransportError } from '@trunkline/transport-core';

/** Returns the attributes that a call has from its start. */
export function callAttributes(protocol: string, method: string): Attributes {
  return { 'rpc.system.name': 'trunkline', 'rpc.method': `${protocol}/${method}` };
}

/**
 * The attributes of peers. Those of callers and of targets that are strings are kept, because
 * making them costs more than a call.
 */
export class PeerAttributes {
  readonly #targets = new Map<string, Attributes>();
  readonly #remotes = new WeakMap<Remote, Attributes>();

  /** Returns the attributes of the target of a call. */
  ofTarget(target: string | Remote): Attributes {
    if (typeof target !== 'string')
      return addressAttributes(target.addr ?? target.endpoint, target.nodeId, SERVER);
    const known = this.#targets.get(target);
    if (known !== undefined) return known;
    const [, nodeId, address = target] = /^([0-9a-f]{64})@(.*)$/.exec(target) ?? [];
    const attributes = addressAttributes(address, nodeId, SERVER);
    if (this.#targets.size >= MOST_TARGETS) this.#targets.clear();
    this.#targets.set(target, attributes);
    return attributes;
  }

  /** Returns the attributes of the caller of a call. */
  ofCaller(remote: Remote): Attributes {
    let attributes = this.#remotes.get(remote);
    if (attributes === undefined) {
      const { endpoint, nodeId } = remote;
      attributes = {
        ...addressAttributes(endpoint, nodeId, ['client.address', 'client.port']),
        ...addressAttributes(endpoint, nodeId, ['network.peer.address', 'network.peer.port']),
      };
      this.#remotes.set(remote, attributes);
    }
    return attributes;
  }
}

/** Ends the span of a call. */
export function endCall(span: Span, error?: unknown): void {
  const code = error === undefined ? 'ok' : codeOf(error);
  span.setAttribute('rpc.status_code', code);
  endSpan(span, error);
}

/**
 * Ends a span, with the status of an error if one is given. An operation that its caller canceled
 * did not fail.
 */
export function endSpan(span: Span, error?: unknown): void {
  if (error !== undefined && codeOf(error) !== 'cancelled') {
    span.setAttribute('error.type', codeOf(error));
    const message = error instanceof Error ? error.message : undefined;
    span.setStatus({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) });
  }
  span.end();
}

function codeOf(error: unknown): ErrorCode {
  if (error instanceof TransportError) return error.code;
  // A handler's own error reaches the caller as `internal`.
  return 'internal';
}

function addressAttributes(
  address: string,
  nodeId: string | undefined,
  [host, port]: readonly [string, string],
): Attributes {
  const [, ipv6, name, number] =
    /^(?:\w+:\/\/)?(?:\[([^\]]+)\]|([^/:]+))(?::(\d+))?(?:\/.*)?$/.exec(address) ?? [];
  const found = ipv6 ?? name;
  return {
    ...(found === undefined ? undefined : { [host]: found }),
    ...(number === undefined ? undefined : { [port]: Number(number) }),
    ...(nodeId === undefined ? undefined : { 'trunkline.peer.id': nodeId }),
  };
}

const SERVER = ['server.address', 'server.port'] as const;
/** The number of targets whose attributes are kept; at one more, all are dropped. */
const MOST_TARGETS = 1_000;
