// Describes protocols that this program has defined.

import type { Codec, Protocol } from '@trunkline/transport-core';
import type { ProtocolMethod } from '@trunkline/transport-core/backend';
import { methodTable } from '@trunkline/transport-core/internal';
import type {
  MessageDescription,
  MethodDescription,
  ProtocolDescription,
  ProtocolSummary,
} from './description.ts';
import { jsonSchemaOf } from './json-schema.ts';
import { DescriptorSets } from './protobuf/descriptor-sets.ts';

/** Returns the properties of a protocol without its methods. */
export function summarize({ name, version, accepts, channel, doc }: Protocol): ProtocolSummary {
  return { name, version, accepts, channel, ...defined({ doc }) };
}

/**
 * Describes a protocol: its methods, the JSON Schemas of its `json` codecs, and the descriptors of
 * its `protobuf` codecs, if they were made from reflection types. protobufjs is loaded only if
 * there are such codecs. For a codec of your own, the description contains only its name.
 */
export async function describeProtocol(protocol: Protocol): Promise<ProtocolDescription> {
  const methods = [...methodTable(protocol).byName.values()];
  const sets = new DescriptorSets();
  for (const { request, response, upload, download } of methods)
    for (const codec of [request, response, upload, download])
      if (isProtobuf(codec)) sets.add(codec.schema);
  const descriptors = await sets.build();
  return {
    ...summarize(protocol),
    priority: protocol.priority,
    ordered: protocol.ordered,
    methods: methods.map((method) => describeMethod(method, sets)),
    ...(descriptors.length === 0 ? undefined : { descriptors }),
  };
}

function describeMethod(method: ProtocolMethod, sets: DescriptorSets): MethodDescription {
  const { name, id, kind, timeout, doc, request, response, upload, download } = method;
  return {
    name,
    id,
    kind,
    ...defined({ timeout: timeout === Number.POSITIVE_INFINITY ? 'none' : timeout, doc }),
    request: describeMessage(request, sets),
    ...defined({
      response: response && describeMessage(response, sets),
      upload: upload && describeMessage(upload, sets),
      download: download && describeMessage(download, sets),
    }),
  } as MethodDescription;
}

function describeMessage(codec: Codec<any, any>, sets: DescriptorSets): MessageDescription {
  const { name, limit } = codec;
  const size = Number.isFinite(limit) ? limit : undefined;
  if (name === 'json')
    return { codec: name, ...defined({ limit: size }), schema: jsonSchemaOf(codec.schema) };
  const place = isProtobuf(codec) ? sets.placeOf(codec.schema) : undefined;
  return { codec: name, ...defined({ limit: size }), ...place };
}

function isProtobuf(codec: Codec<any, any> | undefined): codec is Codec<any, any> {
  return codec?.name.startsWith('protobuf(') === true && codec.schema !== undefined;
}

/** Returns the members that are not undefined, because JSON has no undefined. */
function defined<T extends object>(members: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}
