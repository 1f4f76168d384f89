// Makes a protocol from its description, so that a program can call methods that it was not built
// with.

import { defineProtocol, type Protocol, TransportError } from '@trunkline/transport-core';
import { refuseUnknown } from '@trunkline/transport-core/backend';
import { defineProjectProtocol } from '@trunkline/transport-core/internal';
import type { MessageDescription, ProtocolDescription } from './description.ts';
import { DescribedMessages } from './protobuf/read-descriptors.ts';
import { type ReflectedProtocolOptions, reflectedCodec } from './reflected-codec.ts';
import { refuseDeep } from './refuse-deep.ts';

/**
 * Makes a protocol from a description. Mount it on a transport to call its methods of any kind:
 * `mount.send(target, name, request)`. All values are JSON: those of `json` unchanged, those of
 * `protobuf` in the JSON form of protobuf (64-bit integers are strings, enums names, bytes base64),
 * and bytes and messages of unknown codecs as base64 in a string.
 *
 * Rejects with `invalid_argument` for a description from which no protocol can be made: two methods
 * have one id, the messages of a method fit no kind, descriptors can't be read, or the description
 * nests deeper than 500 levels. Rejects with a TypeError for an unknown option. The kind of a
 * method follows from its messages; the `kind` of its description is ignored.
 */
export async function reflectedProtocol(
  description: ProtocolDescription,
  options: ReflectedProtocolOptions = {},
): Promise<Protocol> {
  refuseUnknown(options, 'reflectedProtocol', ['allowUnknownFields']);
  const { name, version, accepts, channel, priority, ordered, doc, descriptors } =
    refuseDeep(description);
  const messages =
    descriptors === undefined ? undefined : await DescribedMessages.read(descriptors);
  const codec = (message: MessageDescription | undefined) =>
    message && reflectedCodec(message, messages, options);
  const methods = description.methods.map((method) => [
    method.name,
    {
      id: method.id,
      doc: method.doc,
      timeout: method.timeout === 'none' ? Number.POSITIVE_INFINITY : method.timeout,
      request: codec(method.request),
      response: codec(method.response),
      upload: codec(method.upload),
      download: codec(method.download),
    },
  ]);
  const define = channel < FIRST_OWN ? defineProjectProtocol : defineProtocol;
  try {
    return define({
      name,
      version,
      accepts,
      channel,
      priority,
      ordered,
      doc,
      methods: Object.fromEntries(methods),
    });
  } catch (error) {
    throw new TransportError(
      'invalid_argument',
      `the description of the protocol is wrong: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** The lowest channel that `defineProtocol` accepts; lower ones are Trunkline's own. */
const FIRST_OWN = 0x10;
