/// <reference lib="esnext.disposable" preserve="true" />
// The entry for Trunkline's own packages, which are released together with core. It is outside of
// semver: any release may change or remove its names. The declarations keep the reference above,
// for programs whose `lib` lacks AsyncDisposable.

export { sourceOf, spelled, splitScheme } from './address.ts';
export { LONGEST_DELAY, sleepOn } from './clock.ts';
export { iterable, withDetails } from './errors.ts';
export { EventHub } from './event-hub.ts';
export { defineProjectProtocol, methodTable } from './protocol/protocol.ts';
export type { Reporter } from './rpc/records.ts';
export { charge } from './rpc/rpc.ts';
export { type RuntimeOverride, replaceSystem } from './runtime-override.ts';
export { priceOf } from './session/packets.ts';
export { type Membership, nodeOf, type PendingConnection } from './stream/membership.ts';
export { DeadlineTimer } from './stream/transport-resources.ts';
export {
  type Management,
  manage,
  messageLimit,
  protocolsOf,
  type ServiceControl,
  serviceOf,
  unsentOf,
} from './transport/manage.ts';
export { ownContext } from './transport/serve.ts';
export { FrameCollector } from './wire/encoder.ts';
export {
  Account,
  Frame,
  HIGHEST as HIGHEST_CALL_ID,
  Kind,
  slotOf as slotOfCall,
  UNIT as UNIT_COST,
} from './wire/frame.ts';
export { decodeHello, encodeHello, type Hello } from './wire/hello.ts';
