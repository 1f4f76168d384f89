// Public API of @trunkline/admin/reflection: descriptions of protocols, and what tools do with
// them.

export { describeProtocol } from './reflection/describe.ts';
export type {
  JsonSchema,
  JsonValue,
  MessageDescription,
  MethodDescription,
  ProtocolDescription,
  ProtocolSummary,
} from './reflection/description.ts';
export type {
  ProtocolChange,
  ProtocolChangeRule,
  ProtocolParty,
} from './reflection/diff/change.ts';
export { compareProtocols, isBreakingChange } from './reflection/diff/compare-protocols.ts';
export { type AsyncApiOptions, asyncApi } from './reflection/exports/async-api.ts';
export { jsonSchemaBundle } from './reflection/exports/json-schema-bundle.ts';
export { parseProtocolDescription } from './reflection/parse-description.ts';
export { reflectionProtocol } from './reflection/protocol.ts';
export type { ReflectedProtocolOptions } from './reflection/reflected-codec.ts';
export { reflectedProtocol } from './reflection/reflected-protocol.ts';
export { createReflector, type Reflector } from './reflection/reflector.ts';
export { type ReflectionOptions, serveReflection } from './reflection/serve-reflection.ts';
