// The public API of @trunkline/signaling: the hub, and its client for nodes.

export { createSignalHub, type SignalHub, type SignalHubSnapshot } from './hub.ts';
export type {
  RegisteringNode,
  RelayLimits,
  SignalHubLimits,
  SignalHubOptions,
} from './hub-options.ts';
export { type HubSignal, type HubSignalOptions, hubSignal } from './hub-signal.ts';
export { type SignalingProtocol, signalingProtocol } from './protocol.ts';
