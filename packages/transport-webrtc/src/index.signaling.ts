// Signaling over a hub: the hub, and its client for nodes.

export { createSignalHub, type SignalHub, type SignalHubSnapshot } from './signaling/hub.ts';
export type {
  RegisteringNode,
  RelayLimits,
  SignalHubLimits,
  SignalHubOptions,
} from './signaling/hub-options.ts';
export { type HubSignal, type HubSignalOptions, hubSignal } from './signaling/hub-signal.ts';
export { type SignalingProtocol, signalingProtocol } from './signaling/protocol.ts';
