// Public API of @trunkline/reflection: descriptions of protocols, and what tools do with them.

export { describeProtocol } from './describe.ts';
export type {
  JsonSchema,
  JsonValue,
  MessageDescription,
  MethodDescription,
  ProtocolDescription,
  ProtocolSummary,
} from './description.ts';
export type { Change, Party, Rule } from './diff/change.ts';
export { compareProtocols, isBreaking } from './diff/compare-protocols.ts';
export { type AsyncApiOptions, asyncApi } from './exports/async-api.ts';
export { jsonSchemaBundle } from './exports/json-schema-bundle.ts';
export { parseDescription } from './parse-description.ts';
export { reflectionProtocol } from './protocol.ts';
export type { ReflectedOptions } from './reflected-codec.ts';
export { reflectedProtocol } from './reflected-protocol.ts';
export { createReflector, type Reflector } from './reflector.ts';
export { type ReflectionOptions, serveReflection } from './serve-reflection.ts';
