// Codecs for messages that protobufjs or ts-proto generated, without a dependency on either.

export { type ProtobufOptions, protobuf } from './protocol/protobuf.ts';
