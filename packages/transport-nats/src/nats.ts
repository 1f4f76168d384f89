// NATS as a stream layer, as a Transport and as a backend of createTransport.

import {
  type Backend,
  type CommonOptions,
  type Protocol,
  systemClock,
  type Transport,
} from '@trunkline/transport-core';
import {
  checkAdvertised,
  commonOptions,
  extendOptions,
  isProtocol,
  NetworkTransport,
  parseOptions,
  reference,
  type StreamLayer,
} from '@trunkline/transport-core/backend';
import { NatsLayer } from './nats-layer.ts';
import {
  backendSchema,
  checkNatsOptions,
  layerFields,
  layerSchema,
  type NatsBackendOptions,
  type NatsStreamLayerOptions,
} from './nats-options.ts';

/**
 * Options of a transport over NATS; `protocol` is required. The common option `network` is also the
 * second token of all subjects, so it must be valid there.
 */
export type NatsTransportOptions<P extends Protocol> = CommonOptions &
  Omit<NatsStreamLayerOptions, 'random'> & {
    /** The protocol that the transport speaks; `mount` adds others. */
    readonly protocol: P;
  };

/** Creates a stream layer over NATS subjects. */
export function createNatsStreamLayer(options: NatsStreamLayerOptions = {}): StreamLayer {
  parseOptions(layerSchema, options, 'createNatsStreamLayer');
  return createLayer(options, 'createNatsStreamLayer');
}

/**
 * Creates a transport over NATS. Targets and its own address have the form
 * '[nodeId@]nats://server/name'.
 */
export function createNatsTransport<P extends Protocol>(
  options: NatsTransportOptions<P>,
): Transport<P> {
  const {
    bindAddr: _bindAddr,
    advertiseAddr: _advertiseAddr,
    servers: _servers,
    user: _user,
    pass: _pass,
    token: _token,
    authenticator: _authenticator,
    tls: _tls,
    prefix: _prefix,
    node: _node,
    maxPending: _maxPending,
    connectTimeout: _connectTimeout,
    pingInterval: _pingInterval,
    ...common
  } = parseOptions(transportSchema, options, 'createNatsTransport');
  const { protocol, clock = systemClock, limits } = options;
  const { random: _random, ...given } = options;
  const stream = createLayer({ ...given, clock }, 'createNatsTransport');
  return new NetworkTransport<P>({
    ...(common as CommonOptions),
    ...(limits?.credit === undefined ? { limits: { ...limits, credit: CREDIT } } : {}),
    protocol,
    stream,
    clock,
  });
}

/** Creates a backend for 'nats://server/name'. */
export function nats(options: NatsBackendOptions = {}): Backend {
  parseOptions(backendSchema, options, 'nats');
  checkNatsOptions(options, 'nats');
  return {
    schemes: ['nats'],
    layer: ({ bindAddr, advertiseAddr, clock }) =>
      createLayer({ ...options, bindAddr, advertiseAddr, clock }, 'createTransport'),
  };
}

function createLayer(options: NatsStreamLayerOptions, name: string): StreamLayer {
  checkNatsOptions(options, name);
  const layer = new NatsLayer(options);
  checkAdvertised(layer, options.advertiseAddr, `${name}: advertiseAddr`);
  return layer;
}

/**
 * The initial and the maximum credit of connections through a server, in bytes. Through a server,
 * each grant is a separate message that costs two processes as much as a packet, so accounts begin
 * at a size that needs few grants.
 */
const CREDIT = {
  pipe: 4 * 2 ** 20,
  pipeMax: 16 * 2 ** 20,
  stream: 4 * 2 ** 20,
  streamMax: 16 * 2 ** 20,
};

const transportSchema = extendOptions(commonOptions, {
  ...layerFields,
  protocol: reference<Protocol>(isProtocol, 'a protocol made by defineProtocol'),
});
