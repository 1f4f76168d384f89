// The options of the WebRTC layer, and their validation.

import { type Identity, nodeIdsOption, type PeerLists } from '@trunkline/security';
import type { Clock } from '@trunkline/transport-core';
import { isNodeId, option, optionsSchema } from '@trunkline/transport-core/backend';
import type { RtcIceServer, RtcLibrary } from './rtc.ts';
import type { Signal } from './signal.ts';

/** Options of a backend over WebRTC. The lists `allow` and `deny` need an `identity`. */
export interface WebRtcBackendOptions extends PeerLists {
  /**
   * The signal through which this node exchanges the first messages; it also determines the node's
   * id.
   */
  readonly signal: Signal;
  /**
   * Makes both ends of each connection prove their node ids, so that signaling need not be trusted:
   * each end signs the fingerprints of both certificates. Default: no proof.
   */
  readonly identity?: Identity | undefined;
  /**
   * STUN servers, from which a node learns its address outside a NAT, and TURN servers, which relay
   * traffic. Default: none, which suffices within one network.
   */
  readonly iceServers?: readonly RtcIceServer[] | undefined;
  /** 'relay' uses only TURN servers, and hides the node's own addresses. Default: 'all'. */
  readonly iceTransportPolicy?: 'all' | 'relay' | undefined;
  /**
   * The WebRTC library. Default: the browser's own; in Node, node-datachannel, which you have to
   * install.
   */
  readonly rtc?: RtcLibrary | undefined;
}

/** Options of a WebRTC stream layer. */
export interface WebRtcStreamLayerOptions extends WebRtcBackendOptions {
  /** The address that others are given, verbatim. Default: 'webrtc://' and the id of the signal. */
  readonly advertiseAddr?: string | undefined;
  /** Default: the system clock. */
  readonly clock?: Clock | undefined;
}

/**
 * Throws a TypeError if the ids of the signal and of the identity differ, or if there are lists and
 * no identity.
 */
export function checkIds(options: WebRtcBackendOptions, name: string): void {
  const { signal, identity, allow, deny } = options;
  if (identity === undefined && (allow ?? deny) !== undefined)
    throw new TypeError(
      `${name}: allow and deny need 'identity', which makes nodes prove their ids`,
    );
  if (identity === undefined || !isNodeId(signal.nodeId) || signal.nodeId === identity.nodeId)
    return;
  throw new TypeError(
    `${name}: signal: must have the node id of 'identity', ${identity.nodeId}, got ${signal.nodeId}`,
  );
}

const has =
  (...names: string[]) =>
  (value: unknown) =>
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => (value as Record<string, unknown>)[name] !== undefined);

export const isClock = has('now', 'setTimeout', 'clearTimeout', 'defer');

const backendFields = {
  signal: option.reference<Signal>(
    has('nodeId', 'listen', 'open'),
    'a Signal, such as createHubSignal of @trunkline/transport-webrtc/signaling returns',
  ),
  identity: option.optional(
    option.reference<Identity>(
      has('nodeId', 'publicKey', 'sign'),
      'an identity, as createIdentity of @trunkline/security returns it',
    ),
  ),
  allow: option.optional(nodeIdsOption),
  deny: option.optional(nodeIdsOption),
  iceServers: option.optional(
    option.reference<readonly RtcIceServer[]>(
      (value) => Array.isArray(value) && value.every(has('urls')),
      "a list such as [{ urls: 'stun:host:3478' }]",
    ),
  ),
  iceTransportPolicy: option.optional(
    option.reference<'all' | 'relay'>(
      (value) => value === 'all' || value === 'relay',
      "'all' or 'relay'",
    ),
  ),
  rtc: option.optional(
    option.reference<RtcLibrary>(
      (value) => typeof (value as RtcLibrary | null)?.RTCPeerConnection === 'function',
      'an object with the class RTCPeerConnection',
    ),
  ),
};

export const backendSchema = optionsSchema(backendFields);
export const layerSchema = optionsSchema({
  ...backendFields,
  advertiseAddr: option.optional(option.text()),
  clock: option.optional(option.reference<Clock>(isClock, 'a Clock')),
});
