// WebRTC as a backend of Trunkline, and the interface of signaling.

export {
  createMemorySignaling,
  type MemorySignaling,
  type MemorySignalOptions,
} from './memory-signaling.ts';
export type {
  RtcDataChannel,
  RtcIceServer,
  RtcLibrary,
  RtcPeerConnection,
} from './rtc.ts';
export type {
  Signal,
  SignalCandidate,
  SignalDescription,
  SignalMessage,
  SignalOpenOptions,
  SignalReceiver,
  SignalRelay,
  SignalSession,
} from './signal.ts';
export { parseSignalMessage } from './signal-message.ts';
export { type WebRtcBackend, webrtc } from './webrtc.ts';
export type { WebRtcBackendOptions } from './webrtc-options.ts';
