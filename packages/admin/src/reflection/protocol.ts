// The protocol of reflection. It runs beside the user's own protocols, on a channel that is
// reserved for the project.

import { type Codec, json, limited } from '@trunkline/transport-core';
import { defineProjectProtocol } from '@trunkline/transport-core/internal';
import * as z from 'zod/mini';
import {
  type ProtocolDescription,
  type ProtocolSummary,
  protocolDescription,
  protocolSummary,
} from './description.ts';

/** Maximum size of a description in bytes, many times the size that a large protocol needs. */
export const LONGEST_DESCRIPTION: number = 4 * 1024 * 1024;
/** Maximum number of JSON values in a description, as `json` counts them. */
const MOST_VALUES = 1_000_000;

/**
 * The protocol `trunkline.reflection`. `list` returns the protocols of a node, and `describe`
 * returns one of them with its methods and schemas. Use `createReflector` to call these methods.
 */
export const reflectionProtocol = defineProjectProtocol({
  name: 'trunkline.reflection',
  version: 1,
  channel: 0x05,
  doc: 'Describes the protocols of this node to tools.',
  methods: {
    list: {
      id: 1,
      doc: 'Returns the protocols that are mounted, without their methods.',
      request: limited(json(z.object({})), 256),
      response: json(z.object({ protocols: z.array(protocolSummary) })) as Codec<{
        protocols: ProtocolSummary[];
      }>,
    },
    describe: {
      id: 2,
      doc: 'Returns a protocol with its methods, schemas and protobuf descriptors.',
      request: limited(json(z.object({ protocol: z.string() })), 2_048),
      response: json(protocolDescription, {
        limit: LONGEST_DESCRIPTION,
        values: MOST_VALUES,
      }) as Codec<ProtocolDescription>,
    },
  },
});
