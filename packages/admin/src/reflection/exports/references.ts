// Moves JSON Schemas into larger documents: references within a schema are rewritten to its new
// place.

import type { JsonSchema, JsonValue } from '../description.ts';

/**
 * Returns a copy of a schema whose references to itself ('#', '#/$defs/name') begin at a place in
 * another document, such as '#/$defs/greeter.greet.request'.
 */
export function movedTo(place: string, schema: JsonSchema): JsonSchema {
  return moved(place, schema) as JsonSchema;
}

function moved(place: string, value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((each) => moved(place, each));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === '$ref' && typeof inner === 'string' && inner.startsWith('#')
        ? place + inner.slice(1)
        : moved(place, inner),
    ]),
  );
}

/** Gives each part of a document a unique name. */
export class Names {
  readonly #taken = new Set<string>();

  /**
   * Returns a name for a text, with only letters, digits, '.', '-' and '_', as AsyncAPI requires.
   * If the name is taken, a number is appended.
   */
  of(text: string): string {
    const plain = text.replace(/[^A-Za-z0-9.\-_]/g, '_');
    let name = plain;
    for (let i = 2; this.#taken.has(name); i++) name = `${plain}_${i}`;
    this.#taken.add(name);
    return name;
  }
}
