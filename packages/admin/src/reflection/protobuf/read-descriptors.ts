// Reads sets of descriptors that another node sent. protobufjs compiles code from descriptors, so
// all names are checked before it sees them.

import { TransportError } from '@trunkline/transport-core';
import type { Root, Type } from 'protobufjs';
import { fromBase64 } from '../base64.ts';
import { loadProtobuf, type ProtobufLibrary } from './library.ts';

/** The messages of several sets of descriptors. */
export class DescribedMessages {
  readonly #library: ProtobufLibrary;
  readonly #roots: readonly Root[];

  private constructor(library: ProtobufLibrary, roots: readonly Root[]) {
    this.#library = library;
    this.#roots = roots;
  }

  /**
   * Reads the sets: FileDescriptorSets in base64. Rejects with `invalid_argument` for sets that are
   * malformed, or have names that protobuf does not allow.
   */
  static async read(sets: readonly string[]): Promise<DescribedMessages> {
    const library = await loadProtobuf();
    return new DescribedMessages(
      library,
      sets.map((set, at) => readSet(library, fromBase64(set), at)),
    );
  }

  /** The functions that convert between messages and JSON, as protobuf defines it. */
  get protojson(): ProtobufLibrary['protojson'] {
    return this.#library.protojson;
  }

  /** Returns a message by its full name. Throws `invalid_argument` if the set lacks it. */
  type(set: number, name: string): Type {
    try {
      return this.#roots[set]!.lookupType(name);
    } catch (error) {
      throw new TransportError(
        'invalid_argument',
        `the descriptors of the protocol have no message '${name}'`,
        { cause: error },
      );
    }
  }
}

function readSet({ protobuf, descriptor }: ProtobufLibrary, set: Uint8Array, at: number): Root {
  try {
    const message = descriptor.FileDescriptorSet.decode(set);
    checkNames(descriptor.FileDescriptorSet.toObject(message), 0);
    const root = protobuf.Root.fromDescriptor(set);
    root.resolveAll();
    return root;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new TransportError(
      'invalid_argument',
      `the protobuf descriptors ${at} of the protocol can't be read: ${problem}`,
      { cause: error },
    );
  }
}

/** Checks each name in a descriptor as plain data. Throws an Error for the first wrong one. */
function checkNames(value: unknown, level: number): void {
  if (level > DEEPEST) throw new Error(`messages are nested deeper than ${DEEPEST} levels`);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  for (const [key, inner] of Object.entries(value)) {
    const rule = NAMES[key];
    // A file's name is a path such as 'shop/order.proto', so it is not checked.
    const isFileName = key === 'name' && level === FILE;
    if (rule !== undefined && !isFileName && typeof inner === 'string' && !rule.test(inner))
      throw new Error(`the ${key} ${JSON.stringify(inner.slice(0, 64))} is not allowed`);
    checkNames(inner, level + 1);
  }
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/;
const FULL_NAME = /^\.?[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$|^$/;
const NAMES: Readonly<Record<string, RegExp>> = {
  name: IDENTIFIER,
  jsonName: /^[^\p{Cc}"\\]{0,255}$/u,
  package: FULL_NAME,
  typeName: FULL_NAME,
  extendee: FULL_NAME,
  inputType: FULL_NAME,
  outputType: FULL_NAME,
};
/** The nesting level of the members of a file. A set is an object with a list of files. */
const FILE = 2;
const DEEPEST = 100;
