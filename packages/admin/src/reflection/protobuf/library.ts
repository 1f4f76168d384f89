// Loads protobufjs. This happens only if a protocol has protobuf messages.

import type * as Protobuf from 'protobufjs';
import type * as Descriptor from 'protobufjs/ext/descriptor.js';
import type * as ProtoJson from 'protobufjs/ext/protojson.js';

/** The parts of protobufjs that this package uses. */
export interface ProtobufLibrary {
  readonly protobuf: typeof Protobuf;
  readonly descriptor: typeof Descriptor;
  readonly protojson: typeof ProtoJson;
}

/** Loads protobufjs with its extensions for descriptors and JSON. */
export function loadProtobuf(): Promise<ProtobufLibrary> {
  loaded ??= load();
  return loaded;
}

let loaded: Promise<ProtobufLibrary> | undefined;

async function load(): Promise<ProtobufLibrary> {
  const [protobuf, descriptor, protojson] = await Promise.all([
    import('protobufjs/light.js'),
    import('protobufjs/ext/descriptor.js'),
    import('protobufjs/ext/protojson.js'),
  ]);
  return {
    protobuf: common(protobuf),
    descriptor: common(descriptor),
    protojson: common(protojson),
  } as unknown as ProtobufLibrary;
}

/** Returns the exports of a CommonJS module. Node may detect only some of their names. */
function common(module: object): object {
  return (module as { default?: object }).default ?? module;
}
