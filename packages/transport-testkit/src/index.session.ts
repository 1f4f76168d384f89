// The entry for the bytes of one connection: the session suite, and encoders of frames that share
// no code with core.

export { encodeRawFrame, type RawFrameInput, type RawHello } from './raw/raw-frames.ts';
export { rawHello } from './raw/raw-hello.ts';
export type { SessionBackend, SessionPlace } from './session/session-fixture.ts';
export { sessionSuite } from './session/session-suite.ts';
