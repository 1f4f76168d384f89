// WebRTC as a stream layer, for code that composes layers or opens channels by itself.

export { type ChannelConnectionOptions, createChannelConnection } from './ready-channel.ts';
export { createWebRtcStreamLayer } from './webrtc.ts';
export type { WebRtcStreamLayer } from './webrtc-layer.ts';
export type { WebRtcStreamLayerOptions } from './webrtc-options.ts';
