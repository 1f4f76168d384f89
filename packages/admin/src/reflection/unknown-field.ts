// Finds members of a value that its JSON Schema does not know, which are mostly typing mistakes.

import type { JsonSchema, JsonValue } from './description.ts';

/** A member that a schema does not know. */
export interface UnknownField {
  /** The path in the value: '.address.zipp', or '["odd key"]'. */
  readonly path: string;
  /** The members that the schema knows at this place. */
  readonly known: readonly string[];
}

/**
 * Returns the first member of a value that is missing from a schema that lists members; undefined
 * if there is none. Skips places where the schema allows further members or has alternatives.
 */
export function unknownField(schema: JsonSchema, value: unknown): UnknownField | undefined {
  return find(schema, schema, value, '');
}

function find(
  root: JsonSchema,
  given: JsonValue | undefined,
  value: unknown,
  path: string,
): UnknownField | undefined {
  const schema = resolve(root, given);
  if (schema === undefined || typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      const found = find(root, schema['items'], item, `${path}[${i}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const properties = schema['properties'];
  if (!isObject(properties) || OPEN.some((key) => schema[key] !== undefined)) return undefined;
  const further = schema['additionalProperties'];
  const isOpen = further !== undefined && further !== false;
  for (const [key, inner] of Object.entries(value)) {
    const here = /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key)
      ? `${path}.${key}`
      : `${path}[${JSON.stringify(key)}]`;
    if (Object.hasOwn(properties, key)) {
      const found = find(root, properties[key], inner, here);
      if (found !== undefined) return found;
    } else if (!isOpen) return { path: here, known: Object.keys(properties) };
  }
  return undefined;
}

/**
 * Follows references within a schema: '#', '#/$defs/name'. Returns undefined for any other
 * or malformed reference, and for a chain of more than 16 references.
 */
export function resolve(root: JsonSchema, given: JsonValue | undefined): JsonSchema | undefined {
  let schema = given;
  for (let steps = 0; steps <= 16 && isObject(schema); steps++) {
    const reference = schema['$ref'];
    if (typeof reference !== 'string') return schema;
    if (!reference.startsWith('#')) return undefined;
    let at: JsonValue | undefined = root;
    try {
      for (const part of reference.slice(1).split('/').slice(1)) {
        const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
        at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
      }
    } catch {
      return undefined; // The reference has a malformed escape, such as '%E0'.
    }
    schema = at;
  }
  return undefined;
}

/** Returns true for a JSON object. A schema that is not a boolean is such an object. */
export function isObject(value: JsonValue | undefined): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Keywords that may allow members besides those of `properties`. */
const OPEN = ['anyOf', 'oneOf', 'allOf', 'patternProperties', 'if', '$dynamicRef'];
