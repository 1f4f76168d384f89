// The protobuf descriptors of the messages of a protocol.

import type { Enum, Namespace, ReflectionObject, Root, Type } from 'protobufjs';
import { toBase64 } from '../base64.ts';
import { loadProtobuf, type ProtobufLibrary } from './library.ts';
import { sameShape } from './same-shape.ts';

/** The place of a message: the index of its set, and its full name in the set. */
export interface DescriptorPlace {
  readonly type: string;
  readonly descriptors: number;
}

/**
 * The part of a protobufjs reflection type that this file reads. Any copy of protobufjs may have
 * made the type.
 */
interface ReflectionType {
  readonly fullName: string;
  readonly root: { toJSON(): Parameters<typeof Root.fromJSON>[0] };
}

/**
 * Collects reflection types, and makes one set of descriptors for each of their roots. A set has
 * only the messages that the collected types use, because a root may contain messages that no peer
 * should see.
 */
export class DescriptorSets {
  readonly #names = new Map<ReflectionType['root'], Set<string>>();
  readonly #index = new Map<ReflectionType['root'], number>();

  /** Collects a type. Ignores a class of static code, which has no reflection. */
  add(type: unknown): void {
    if (!isReflectionType(type)) return;
    const names = this.#names.get(type.root) ?? new Set();
    this.#names.set(type.root, names.add(nameOf(type)));
  }

  /**
   * Returns the sets in base64. A root whose types the descriptors would not represent exactly is
   * left out, so that nobody encodes messages wrongly.
   */
  async build(): Promise<string[]> {
    const sets: string[] = [];
    for (const [root, names] of this.#names) {
      const set = descriptorSet(await loadProtobuf(), root, names);
      if (set === undefined) continue;
      this.#index.set(root, sets.length);
      sets.push(toBase64(set));
    }
    return sets;
  }

  /** Returns the place of a type; undefined if no set has it. Call `build` before. */
  placeOf(type: unknown): DescriptorPlace | undefined {
    if (!isReflectionType(type)) return undefined;
    const descriptors = this.#index.get(type.root);
    return descriptors === undefined ? undefined : { type: nameOf(type), descriptors };
  }
}

function isReflectionType(type: unknown): type is ReflectionType {
  const { fullName, root } = (type ?? {}) as Partial<ReflectionType>;
  return typeof fullName === 'string' && typeof root?.toJSON === 'function';
}

function nameOf({ fullName }: ReflectionType): string {
  return fullName.replace(/^\./, '');
}

function descriptorSet(
  { protobuf, descriptor }: ProtobufLibrary,
  given: ReflectionType['root'],
  names: ReadonlySet<string>,
): Uint8Array | undefined {
  try {
    // The types may come from another copy of protobufjs, so the set is made of a copy.
    const root = protobuf.Root.fromJSON(given.toJSON());
    root.resolveAll();
    const types = [...names].map((name) => root.lookupType(name));
    const used = usedBy(protobuf, types);
    prune(protobuf, root, used);
    const made = root.toDescriptor(editionOf(types[0]!));
    const set = descriptor.FileDescriptorSet.encode(made).finish().slice();
    const again = protobuf.Root.fromDescriptor(set);
    again.resolveAll();
    return types.every((type) => sameShape(type, again.lookupType(type.fullName)))
      ? set
      : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the syntax or edition that a type was written in; protobufjs records no 'proto3'. */
function editionOf(type: Type): string {
  for (let at: ReflectionObject | null = type; at !== null; at = at.parent) {
    const { edition } = at.toJSON() as { edition?: string };
    if (edition !== undefined) return edition;
  }
  return 'proto3';
}

/** Returns the types and enums that messages of the given types may contain. */
function usedBy(
  { Type: MessageType }: ProtobufLibrary['protobuf'],
  types: readonly Type[],
): Set<ReflectionObject> {
  const used = new Set<ReflectionObject>();
  const pending: (Type | Enum)[] = [...types];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (used.has(next)) continue;
    used.add(next);
    // A message that contains a used type stays, and so do the types of its fields.
    for (
      let { parent } = next as ReflectionObject;
      parent instanceof MessageType;
      parent = parent.parent
    )
      pending.push(parent);
    if (!(next instanceof MessageType)) continue;
    for (const { resolvedType } of next.fieldsArray)
      if (resolvedType !== null) pending.push(resolvedType);
  }
  return used;
}

/** Removes everything from a namespace that is not used. */
function prune(
  protobuf: ProtobufLibrary['protobuf'],
  namespace: Namespace,
  used: ReadonlySet<ReflectionObject>,
): void {
  for (const nested of [...namespace.nestedArray]) {
    const isPackage =
      nested instanceof protobuf.Namespace &&
      !(nested instanceof protobuf.Type) &&
      !(nested instanceof protobuf.Service);
    if (isPackage || used.has(nested)) {
      if (nested instanceof protobuf.Namespace) prune(protobuf, nested, used);
    } else namespace.remove(nested);
  }
}
