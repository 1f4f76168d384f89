// The entry /protobuf: codecs for messages that protobufjs or ts-proto generated, without a
// dependency on either. protocol/protobuf.test.ts tests them.

export { type ProtobufOptions, protobuf } from './protocol/protobuf.ts';
