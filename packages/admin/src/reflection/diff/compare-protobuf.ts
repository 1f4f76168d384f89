// Compares two protobuf types of one message, by the rules of the wire format.

import type { Enum, Field, Type } from 'protobufjs';
import type { MessageChanges } from './change.ts';

/** Adds the changes between two types of a message. */
export function compareProtobuf(before: Type, after: Type, changes: MessageChanges): void {
  compareTypes(before, after, changes, '', new Map());
}

/** The pairs that were compared, because types may contain themselves. */
type Seen = Map<Type, Set<Type>>;

function compareTypes(
  before: Type,
  after: Type,
  changes: MessageChanges,
  path: string,
  seen: Seen,
): void {
  const others = seen.get(before) ?? new Set();
  if (others.has(after)) return;
  seen.set(before, others.add(after));
  const fields = new Map(after.fieldsArray.map((field) => [field.id, field]));
  for (const old of before.fieldsArray) {
    const place = `${path}.${old.name}`;
    const field = fields.get(old.id);
    fields.delete(old.id);
    if (field === undefined) {
      const text = `the field ${old.id} was removed; reserve its number`;
      changes.add('FIELD_REMOVED', place, old.required ? ['receiver'] : [], text);
    } else compareFields(old, field, changes, place, seen);
  }
  for (const field of fields.values()) {
    const place = `${path}.${field.name}`;
    if (field.required)
      changes.add(
        'REQUIRED_FIELD_ADDED',
        place,
        ['sender'],
        `the required field ${field.id} was added`,
      );
    else changes.add('FIELD_ADDED', place, [], `the field ${field.id} was added`);
  }
}

function compareFields(
  before: Field,
  after: Field,
  changes: MessageChanges,
  path: string,
  seen: Seen,
): void {
  const isRenamed = before.name !== after.name;
  if (!areCompatible(before, after)) {
    const [from, to] = [nameType(before), nameType(after)];
    if (isRenamed)
      changes.add(
        'FIELD_ID_REUSED',
        path,
        BOTH,
        `the number ${after.id} is the field ${after.name} (${to}) now`,
      );
    else changes.add('FIELD_TYPE_CHANGED', path, BOTH, `the type changed from ${from} to ${to}`);
    return;
  }
  if (isRenamed)
    changes.add(
      'FIELD_RENAMED',
      path,
      [],
      `the field is called ${after.name} now, which changes only its JSON`,
    );
  if (before.repeated !== after.repeated || before.map !== after.map)
    changes.add(
      'FIELD_CARDINALITY_CHANGED',
      path,
      BOTH,
      `the field was ${nameRule(before)}, and is ${nameRule(after)} now`,
    );
  if (!before.required && after.required)
    changes.add('FIELD_MADE_REQUIRED', path, ['sender'], 'the field is required now');
  if (before.required && !after.required)
    changes.add('FIELD_MADE_OPTIONAL', path, ['receiver'], 'the field is optional now');
  if (oneofOf(before) !== oneofOf(after))
    changes.add('FIELD_ONEOF_CHANGED', path, BOTH, 'the field moved into or out of a oneof');
  const [from, to] = [before.resolvedType, after.resolvedType];
  if (from === null || to === null) return;
  if (isEnum(from) && isEnum(to)) compareEnums(from, to, changes, path);
  else if (!isEnum(from) && !isEnum(to)) compareTypes(from, to, changes, path, seen);
}

function compareEnums(before: Enum, after: Enum, changes: MessageChanges, path: string): void {
  for (const [number, name] of Object.entries(before.valuesById))
    if (after.valuesById[Number(number)] === undefined)
      changes.add(
        'ENUM_VALUE_REMOVED',
        path,
        [],
        `the value ${name} = ${number} was removed; reserve its number`,
      );
  for (const [number, name] of Object.entries(after.valuesById))
    if (before.valuesById[Number(number)] === undefined)
      changes.add('ENUM_VALUE_ADDED', path, [], `the value ${name} = ${number} was added`);
}

/**
 * Returns true if each of two types can read the bytes of the other: both are integers with one
 * encoding, both are text or bytes, or both are messages.
 */
function areCompatible(before: Field, after: Field): boolean {
  const keys = [before, after].map(
    (field) => (field as Field & { keyType?: string }).keyType ?? '',
  );
  return groupOf(before) === groupOf(after) && keys[0] === keys[1];
}

function groupOf({ type, resolvedType, delimited }: Field): string {
  if (resolvedType !== null)
    return isEnum(resolvedType) ? 'varint' : delimited ? 'group' : 'message';
  return GROUPS[type] ?? type;
}

/** Types that share an encoding; the documentation of protobuf lists them. */
const GROUPS: Readonly<Record<string, string>> = {
  int32: 'varint',
  uint32: 'varint',
  int64: 'varint',
  uint64: 'varint',
  bool: 'varint',
  sint32: 'zigzag',
  sint64: 'zigzag',
  fixed32: 'four bytes',
  sfixed32: 'four bytes',
  fixed64: 'eight bytes',
  sfixed64: 'eight bytes',
};

function nameType({ type, resolvedType }: Field): string {
  return resolvedType === null ? type : resolvedType.fullName.replace(/^\./, '');
}

function nameRule({ repeated, map }: Field): string {
  if (map) return 'a map';
  return repeated ? 'repeated' : 'single';
}

/**
 * Returns the oneof of a field, except the synthetic oneof of an optional field in proto3.
 */
function oneofOf({ partOf }: Field): string | undefined {
  return partOf === null || partOf.isProto3Optional ? undefined : partOf.name;
}

function isEnum(type: Type | Enum): type is Enum {
  return 'valuesById' in type;
}

const BOTH = ['sender', 'receiver'] as const;
