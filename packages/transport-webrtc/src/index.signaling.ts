// Signaling over a hub: the hub, and its client for nodes.

export { createSignalHub, type SignalHub, type SignalHubSnapshot } from './signaling/hub.ts';
export type {
  RegisteringNode,
  SignalHubLimits,
  SignalHubOptions,
  SignalRelayLimits,
} from './signaling/hub-options.ts';
export { createHubSignal, type HubSignal, type HubSignalOptions } from './signaling/hub-signal.ts';
export { type SignalingProtocol, signalingProtocol } from './signaling/protocol.ts';
