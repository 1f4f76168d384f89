// The entry for the tests of core and of the backends: a raw peer, which speaks only the wire
// format and shares no code with core, the watchdog of a case, and a sink that records a
// connection. It may change with every release.

export { type SuiteProtocol, sideProtocol, suiteProtocol } from './raw/protocols.ts';
export {
  concat,
  delimited,
  encodeBody,
  encodeHello,
  encodeRawFrame,
  field,
  type RawFrame,
  type RawFrameInput,
  type RawHello,
  type RawProtocol,
  varint,
} from './raw/raw-frames.ts';
export { RAW_LIMITS, rawHello } from './raw/raw-hello.ts';
export { RawListener } from './raw/raw-listener.ts';
export { cost, RAW_PREAMBLE, RawPeer } from './raw/raw-peer.ts';
export { Recorder } from './stream-layer/recorder.ts';
export { settle } from './transit/settle.ts';
export { CaseWaits } from './waits/case-waits.ts';
export { nameWaits } from './waits/name-waits.ts';
