// WebRTC as a backend of createTransport, and as a stream layer.

import { NodeIdFilter, type PeerListsUpdate } from '@trunkline/security';
import type { Backend } from '@trunkline/transport-core';
import { checkAdvertised, parseOptions } from '@trunkline/transport-core/backend';
import { RelayFallback } from './relay-fallback.ts';
import { parseAddress } from './webrtc-address.ts';
import { updatePeers, WebRtcLayer, type WebRtcStreamLayer } from './webrtc-layer.ts';
import {
  backendSchema,
  checkIds,
  layerSchema,
  type WebRtcBackendOptions,
  type WebRtcStreamLayerOptions,
} from './webrtc-options.ts';

/**
 * Creates a stream layer over WebRTC data channels, one for each connection. Throws a TypeError
 * that names an invalid option.
 */
export function createWebRtcStreamLayer(options: WebRtcStreamLayerOptions): WebRtcStreamLayer {
  parseOptions(layerSchema, options, 'createWebRtcStreamLayer');
  return createLayer(options, 'createWebRtcStreamLayer');
}

/** A backend over WebRTC. */
export interface WebRtcBackend extends Backend {
  /** Does the same as `updatePeers` of a layer, for all layers that this backend has created. */
  updatePeers(lists: PeerListsUpdate): void;
}

/**
 * Creates a backend for 'webrtc://id'. To listen, the address must contain the id of the signal, or
 * be 'webrtc://0', which stands for that id; otherwise `createTransport` throws a TypeError. Throws
 * a TypeError that names an invalid option.
 */
export function webrtc(options: WebRtcBackendOptions): WebRtcBackend {
  parseOptions(backendSchema, options, 'webrtc');
  checkIds(options, 'webrtc');
  const { nodeId } = options.signal;
  const peers = filterOf(options);
  return {
    schemes: ['webrtc'],
    layer({ bindAddr, advertiseAddr, clock }) {
      if (bindAddr !== undefined && !['0', nodeId].includes(parseAddress(bindAddr, 'listen at')))
        throw new TypeError(
          `createTransport: '${bindAddr}': the signal has the id ${nodeId}, so listen at 'webrtc://${nodeId}'`,
        );
      return createLayer({ ...options, advertiseAddr, clock }, 'createTransport', peers);
    },
    updatePeers: (lists) => updatePeers(options, peers, lists),
  };
}

function createLayer(
  options: WebRtcStreamLayerOptions,
  name: string,
  peers = filterOf(options),
): WebRtcStreamLayer {
  checkIds(options, name);
  const layer = new WebRtcLayer(options, peers);
  checkAdvertised(layer, options.advertiseAddr, `${name}: advertiseAddr`);
  const { signal, allow, deny } = options;
  if (signal.relay === undefined) return layer;
  signal.relay.updatePeers({ allow, deny });
  return new RelayFallback(layer, signal.relay);
}

function filterOf(options: WebRtcBackendOptions): NodeIdFilter {
  const { signal, identity } = options;
  return new NodeIdFilter(identity?.nodeId ?? signal.nodeId, options);
}
