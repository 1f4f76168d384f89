// Exports the schemas of protocols as one JSON Schema document.

import type { JsonSchema, MessageDescription, ProtocolDescription } from '../description.ts';
import { refuseDeep } from '../refuse-deep.ts';
import { messagesOf } from './messages.ts';
import { movedTo, Names } from './references.ts';

/**
 * Returns a JSON Schema (draft 2020-12) whose `$defs` have one schema for each message of each
 * method, named 'protocol.method.request' and so on. Bytes are strings in base64; a protobuf
 * message and a message of a codec of your own have no schema, only the name of the codec. Throws
 * `invalid_argument` for a schema that nests deeper than 500 levels.
 */
export function jsonSchemaBundle(protocols: readonly ProtocolDescription[]): JsonSchema {
  const names = new Names();
  const definitions: Record<string, JsonSchema> = {};
  for (const protocol of protocols.map(refuseDeep)) {
    for (const method of protocol.methods) {
      for (const [role, message] of messagesOf(method)) {
        const name = names.of(`${protocol.name}.${method.name}.${role}`);
        definitions[name] = movedTo(`#/$defs/${name}`, schemaOf(message));
      }
    }
  }
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', $defs: definitions };
}

function schemaOf({ codec, schema }: MessageDescription): JsonSchema {
  if (codec === 'json') return schema ?? {};
  if (codec === 'empty') return { type: 'null' };
  if (codec === 'bytes') return { type: 'string', contentEncoding: 'base64' };
  return { $comment: `codec: ${codec}` };
}
