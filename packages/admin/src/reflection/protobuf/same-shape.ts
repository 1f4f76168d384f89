// Compares two protobuf types by what their messages look like on the wire and as JSON.

import type { Enum, Field, Type } from 'protobufjs';

/** Returns true if messages of both types have the same bytes and the same JSON. */
export function sameShape(a: Type, b: Type, seen = new Set<Type>()): boolean {
  if (seen.has(a)) return true;
  seen.add(a);
  const fields = fieldsOf(a);
  const others = new Map(fieldsOf(b).map((field) => [field.id, field]));
  return (
    fields.length === others.size &&
    fields.every((field) => {
      const other = others.get(field.id);
      return other !== undefined && sameField(field, other, seen);
    })
  );
}

function sameField(a: Field, b: Field, seen: Set<Type>): boolean {
  if (keyOf(a) !== keyOf(b)) return false;
  if (a.resolvedType === null || b.resolvedType === null)
    return a.resolvedType === b.resolvedType && a.type === b.type;
  if (isEnum(a.resolvedType) || isEnum(b.resolvedType))
    return (
      isEnum(a.resolvedType) && isEnum(b.resolvedType) && sameEnum(a.resolvedType, b.resolvedType)
    );
  return sameShape(a.resolvedType, b.resolvedType, seen);
}

/** Returns the properties of a field that change its bytes or its JSON, as one text. */
function keyOf(field: Field): string {
  const { name, jsonName, repeated, packed, required, map, hasPresence, delimited, partOf } =
    field as Field & { jsonName?: string; delimited?: boolean };
  const { keyType } = field as Field & { keyType?: string };
  const oneof = partOf?.name ?? '';
  return [name, jsonName, repeated, packed, required, map, hasPresence, delimited, keyType, oneof]
    .map(String)
    .join(' ');
}

function sameEnum(a: Enum, b: Enum): boolean {
  const text = ({ values }: Enum) => JSON.stringify(Object.entries(values).sort());
  return text(a) === text(b);
}

function isEnum(type: Type | Enum): type is Enum {
  return 'valuesById' in type;
}

/** Returns the fields of a type without extensions, which descriptors here do not have. */
function fieldsOf({ fieldsArray }: Type): Field[] {
  return fieldsArray.filter(({ declaringField }) => declaringField === null);
}
