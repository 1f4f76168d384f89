// Answers the questions of tools about the protocols of a transport.

import {
  type AllowCall,
  type AnyTransport,
  type Protocol,
  serve,
  TransportError,
} from '@trunkline/transport-core';
import { cleanText, refuseUnknown } from '@trunkline/transport-core/backend';
import { charge, protocolsOf } from '@trunkline/transport-core/internal';
import { describeProtocol, summarize } from './describe.ts';
import type { ProtocolDescription } from './description.ts';
import { reflectionProtocol } from './protocol.ts';
import { type Reflector, reflectorOf } from './reflector.ts';

/** Options of {@link serveReflection}. */
export interface ReflectionOptions {
  /**
   * Decides which peers may ask. Default: all. A description shows names, schemas and the texts of
   * `doc`, but no data.
   */
  readonly allow?: AllowCall | undefined;
}

/**
 * Mounts `trunkline.reflection` on a transport, and answers its calls: peers may list all mounted
 * protocols, including those that are mounted later, and get a description of each. A protocol is
 * described when a peer first asks for it, and the description is kept. The returned reflector can
 * describe other nodes, too.
 *
 * @throws TypeError if the transport has this protocol already.
 */
export function serveReflection(
  transport: AnyTransport,
  options: ReflectionOptions = {},
): Reflector {
  refuseUnknown(options, 'serveReflection', ['allow']);
  const mount = transport.mount(reflectionProtocol, { allow: options.allow });
  const described = new WeakMap<Protocol, Described>();
  serve(mount, {
    list: (_request, rpc) => {
      const protocols = protocolsOf(transport).map(summarize);
      charge(rpc, SUMMARY * protocols.length);
      return { protocols };
    },
    describe: ({ protocol: name }, rpc) => {
      const protocols = protocolsOf(transport);
      const protocol = protocols.find((each) => each.name === name);
      if (protocol === undefined)
        throw new TransportError(
          'not_found',
          `this node has no protocol '${cleanText(name)}'; it has ${protocols.map((each) => each.name).join(', ')}`,
        );
      const known = described.get(protocol) ?? describe(protocol);
      described.set(protocol, known);
      charge(rpc, known.units);
      return known.description;
    },
  });
  return reflectorOf(mount);
}

/** The description of a protocol, and what it costs to send it, in work units. */
interface Described {
  readonly description: Promise<ProtocolDescription>;
  units: number;
}

function describe(protocol: Protocol): Described {
  const known = { description: describeProtocol(protocol), units: FIRST };
  known.description.then(
    (description) => {
      known.units = JSON.stringify(description).length >> ENCODED_SHIFT;
    },
    () => {},
  );
  return known;
}

// The costs in work units (docs/wire-protocol.md §9) of a summary in a list, of a description that
// is not complete yet, and of encoding a description: one for each 4 characters, because its schema
// checks each value.
const SUMMARY = 64;
const FIRST = 1_024;
const ENCODED_SHIFT = 2;
