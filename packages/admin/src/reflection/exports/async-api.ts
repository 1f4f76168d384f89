// Exports protocols as a document of AsyncAPI 3.

import { refuseUnknown } from '@trunkline/transport-core/backend';
import type {
  JsonSchema,
  JsonValue,
  MessageDescription,
  MethodDescription,
  ProtocolDescription,
} from '../description.ts';
import { refuseDeep } from '../refuse-deep.ts';
import { isOfCaller, messagesOf, type Role } from './messages.ts';
import { movedTo, Names } from './references.ts';

/** Options of {@link asyncApi}. */
export interface AsyncApiOptions {
  /** The title of the document. Default 'Trunkline node'. */
  readonly title?: string | undefined;
  /** The version of the document. Default '1.0.0'. */
  readonly version?: string | undefined;
  /** The addresses of nodes, such as 'tcp://10.0.0.1:7000'. Default none. */
  readonly servers?: readonly string[] | undefined;
}

/**
 * Returns an AsyncAPI 3.0 document. Each method is a channel with an operation `receive`, seen from
 * the node that handles it; its answers are the operation's `reply`. Properties that AsyncAPI does
 * not have, such as ids and kinds, are in `x-trunkline`. Throws `invalid_argument` for a schema
 * that nests deeper than 500 levels.
 */
export function asyncApi(
  protocols: readonly ProtocolDescription[],
  options: AsyncApiOptions = {},
): JsonSchema {
  refuseUnknown(options, 'asyncApi', ['title', 'version', 'servers']);
  const { title = 'Trunkline node', version = '1.0.0', servers = [] } = options;
  const document = new Document();
  for (const protocol of protocols.map(refuseDeep))
    for (const method of protocol.methods) document.add(protocol, method);
  return {
    asyncapi: '3.0.0',
    info: { title, version },
    ...(servers.length === 0 ? undefined : { servers: serversOf(servers) }),
    channels: document.channels,
    operations: document.operations,
    components: { messages: document.messages, schemas: document.schemas },
  };
}

class Document {
  readonly channels: Record<string, JsonValue> = {};
  readonly operations: Record<string, JsonValue> = {};
  readonly messages: Record<string, JsonValue> = {};
  readonly schemas: Record<string, JsonValue> = {};
  readonly #names = new Names();

  add(protocol: ProtocolDescription, method: MethodDescription): void {
    const name = this.#names.of(`${protocol.name}.${method.name}`);
    const roles = messagesOf(method).map(([role, message]) => {
      this.#addMessage(`${name}.${role}`, message);
      return role;
    });
    const messages = roles.map((role) => [role, { $ref: `#/components/messages/${name}.${role}` }]);
    const { doc, id, kind, timeout } = method;
    this.channels[name] = {
      address: `${protocol.name}/${method.name}`,
      messages: Object.fromEntries(messages),
      'x-trunkline': {
        protocol: protocol.name,
        version: protocol.version,
        channel: protocol.channel,
      },
    };
    const of = (isWanted: (role: Role) => boolean) =>
      roles.filter(isWanted).map((role) => ({ $ref: `#/channels/${name}/messages/${role}` }));
    const channel = { $ref: `#/channels/${name}` };
    const answers = of((role) => !isOfCaller(role));
    this.operations[name] = {
      action: 'receive',
      channel,
      ...(doc === undefined ? undefined : { description: doc }),
      messages: of(isOfCaller),
      ...(answers.length === 0 ? undefined : { reply: { channel, messages: answers } }),
      'x-trunkline': { id, kind, ...(timeout === undefined ? undefined : { timeout }) },
    };
  }

  #addMessage(name: string, { codec, limit, schema, type }: MessageDescription): void {
    const payload: JsonSchema =
      codec === 'json' ? { payload: { $ref: `#/components/schemas/${name}` } } : {};
    if (codec === 'json') {
      const moved = movedTo(`#/components/schemas/${name}`, schema ?? {});
      this.schemas[name] = asDraft7(moved);
    }
    this.messages[name] = {
      name,
      contentType: contentTypeOf(codec),
      ...payload,
      'x-trunkline': {
        codec,
        ...(limit === undefined ? undefined : { limit }),
        ...(type === undefined ? undefined : { type }),
      },
    };
  }
}

function contentTypeOf(codec: string): string {
  if (codec === 'json') return 'application/json';
  return codec.startsWith('protobuf(') ? 'application/x-protobuf' : 'application/octet-stream';
}

function serversOf(addresses: readonly string[]): Record<string, JsonValue> {
  const names = new Names();
  return Object.fromEntries(
    addresses.map((address) => {
      const [, scheme = 'tcp', host = address, pathname] =
        /^(?:([a-z][a-z0-9+.-]*):\/\/)?([^/]*)(\/.*)?$/i.exec(address) ?? [];
      const server = {
        host,
        protocol: scheme,
        ...(pathname === undefined ? undefined : { pathname }),
      };
      return [names.of(host), server];
    }),
  );
}

/**
 * Returns a schema of draft 2020-12 as one of draft 7, on which the schemas of AsyncAPI are based:
 * `$defs` are `definitions`, and the items of a tuple are `items`.
 */
function asDraft7(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(asDraft7);
  if (typeof value !== 'object' || value === null) return value;
  const { prefixItems, items, $defs, ...rest } = value as Record<string, JsonValue>;
  const converted = Object.fromEntries(
    Object.entries(rest).map(([key, inner]) => [
      key,
      key === '$ref' && typeof inner === 'string'
        ? inner.replaceAll('/$defs/', '/definitions/')
        : asDraft7(inner),
    ]),
  );
  if ($defs !== undefined) converted['definitions'] = asDraft7($defs);
  if (prefixItems !== undefined) {
    converted['items'] = asDraft7(prefixItems);
    if (items !== undefined) converted['additionalItems'] = asDraft7(items);
  } else if (items !== undefined) converted['items'] = asDraft7(items);
  return converted;
}
