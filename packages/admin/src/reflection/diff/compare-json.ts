// Compares two JSON Schemas of one message. A change that can't be judged counts as breaking.

import type { JsonSchema, JsonValue } from '../description.ts';
import { isObject, resolve } from '../unknown-field.ts';
import type { End, MessageChanges } from './change.ts';

/** Adds the changes between two schemas of a message. */
export function compareJson(before: JsonSchema, after: JsonSchema, changes: MessageChanges): void {
  new Comparison(before, after, changes).compare(before, after, '');
}

class Comparison {
  readonly #roots: readonly [JsonSchema, JsonSchema];
  readonly #changes: MessageChanges;
  /** The pairs that are being compared, because schemas may contain themselves. */
  readonly #open = new Map<JsonSchema, Set<JsonSchema>>();

  constructor(before: JsonSchema, after: JsonSchema, changes: MessageChanges) {
    this.#roots = [before, after];
    this.#changes = changes;
  }

  compare(given: JsonValue, changed: JsonValue, path: string): void {
    // Equal schemas may contain references to parts that differ.
    if (given === changed || (equal(given, changed) && equal(...this.#roots))) return;
    const before = schemaOf(this.#roots[0], given);
    const after = schemaOf(this.#roots[1], changed);
    const open = this.#open.get(before) ?? new Set();
    if (open.has(after)) return;
    this.#open.set(before, open.add(after));
    const alternatives = [alternativesOf(before), alternativesOf(after)] as const;
    if (alternatives.every((list) => list.length === 1)) this.#compareOne(before, after, path);
    else this.#compareAlternatives(...alternatives, path);
  }

  #compareOne(before: JsonSchema, after: JsonSchema, path: string): void {
    if (!this.#compareTypes(before, after, path)) return;
    this.#compareValues(before, after, path);
    this.#compareMembers(before, after, path);
    if (before['items'] !== undefined || after['items'] !== undefined)
      this.compare(before['items'] ?? true, after['items'] ?? true, `${path}[]`);
    for (const [keyword, isUpper] of BOUNDS)
      this.#compareBound([before, after], path, keyword, isUpper);
    for (const keyword of new Set([...Object.keys(before), ...Object.keys(after)]))
      if (!COMPARED.has(keyword)) this.#compareOther(before, after, path, keyword);
  }

  /** Returns false if the types have nothing in common. */
  #compareTypes(before: JsonSchema, after: JsonSchema, path: string): boolean {
    const [from, to] = [typesOf(before), typesOf(after)];
    const missing = [...from].filter((type) => !to.has(type));
    const added = [...to].filter((type) => !from.has(type));
    if (missing.length + added.length > 0) {
      const text = `the type changed from ${nameTypes(before)} to ${nameTypes(after)}`;
      this.#changes.add('FIELD_TYPE_CHANGED', path, ends(missing, added), text);
    }
    return missing.length < from.size;
  }

  /** Compares `enum` and `const`. */
  #compareValues(before: JsonSchema, after: JsonSchema, path: string): void {
    const [from, to] = [valuesOf(before), valuesOf(after)];
    if (from === undefined && to === undefined) return;
    if (from === undefined)
      return this.#changes.add(
        'CONSTRAINT_TIGHTENED',
        path,
        ['sender'],
        'only listed values are allowed now',
      );
    if (to === undefined)
      return this.#changes.add(
        'CONSTRAINT_LOOSENED',
        path,
        ['receiver'],
        'other values than the listed ones are allowed now',
      );
    for (const value of from)
      if (!to.has(value))
        this.#changes.add('ENUM_VALUE_REMOVED', path, ['sender'], `the value ${value} was removed`);
    for (const value of to)
      if (!from.has(value))
        this.#changes.add('ENUM_VALUE_ADDED', path, ['receiver'], `the value ${value} was added`);
  }

  #compareMembers(before: JsonSchema, after: JsonSchema, path: string): void {
    const [from, to] = [membersOf(before), membersOf(after)];
    const [needed, needs] = [requiredOf(before), requiredOf(after)];
    for (const key of new Set([...from.keys(), ...to.keys(), ...needed, ...needs])) {
      const place = path + step(key);
      if (!from.has(key) && !needed.has(key)) this.#addedMember(before, place, needs.has(key));
      else if (!to.has(key) && !needs.has(key)) this.#removedMember(after, place, needed.has(key));
      else {
        this.#compareRequired(place, needed.has(key), needs.has(key));
        this.compare(from.get(key) ?? true, to.get(key) ?? true, place);
      }
    }
    const further = [before['additionalProperties'], after['additionalProperties']] as const;
    if (isClosed(before) && isClosed(after)) return;
    if (isClosed(after))
      this.#changes.add('CONSTRAINT_TIGHTENED', path, ['sender'], 'further fields are refused now');
    else if (isClosed(before))
      this.#changes.add('CONSTRAINT_LOOSENED', path, [], 'further fields are allowed now');
    else this.compare(further[0] ?? true, further[1] ?? true, `${path}[*]`);
  }

  #addedMember(before: JsonSchema, path: string, isRequired: boolean): void {
    const end: End[] = isClosed(before) ? ['receiver'] : [];
    if (isRequired)
      this.#changes.add(
        'REQUIRED_FIELD_ADDED',
        path,
        ['sender', ...end],
        'a required field was added',
      );
    else this.#changes.add('FIELD_ADDED', path, end, 'an optional field was added');
  }

  #removedMember(after: JsonSchema, path: string, wasRequired: boolean): void {
    const end: End[] = isClosed(after) ? ['sender'] : [];
    const text = wasRequired ? 'a required field was removed' : 'an optional field was removed';
    this.#changes.add('FIELD_REMOVED', path, wasRequired ? [...end, 'receiver'] : end, text);
  }

  #compareRequired(path: string, before: boolean, after: boolean): void {
    if (!before && after)
      this.#changes.add('FIELD_MADE_REQUIRED', path, ['sender'], 'the field is required now');
    if (before && !after)
      this.#changes.add('FIELD_MADE_OPTIONAL', path, ['receiver'], 'the field is optional now');
  }

  #compareBound(
    schemas: readonly [before: JsonSchema, after: JsonSchema],
    path: string,
    keyword: string,
    isUpper: boolean,
  ): void {
    const [before, after] = schemas.map(({ [keyword]: bound }) => bound);
    const open = isUpper ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    const [from, to] = [before, after].map((bound) => (typeof bound === 'number' ? bound : open));
    if (from === to) return;
    const isTighter = isUpper ? to! < from! : to! > from!;
    const text = `${keyword} changed from ${before ?? 'none'} to ${after ?? 'none'}`;
    if (isTighter) this.#changes.add('CONSTRAINT_TIGHTENED', path, ['sender'], text);
    else this.#changes.add('CONSTRAINT_LOOSENED', path, ['receiver'], text);
  }

  /** Compares keywords such as `pattern`, for which only equality can be judged. */
  #compareOther(before: JsonSchema, after: JsonSchema, path: string, keyword: string): void {
    const [from, to] = [before[keyword], after[keyword]];
    if (equal(from, to)) return;
    if (from === undefined)
      this.#changes.add('CONSTRAINT_TIGHTENED', path, ['sender'], `${keyword} was added`);
    else if (to === undefined)
      this.#changes.add('CONSTRAINT_LOOSENED', path, ['receiver'], `${keyword} was removed`);
    else
      this.#changes.add('CONSTRAINT_CHANGED', path, ['sender', 'receiver'], `${keyword} changed`);
  }

  /** Pairs equal alternatives. If one is left on each side, these two are compared. */
  #compareAlternatives(
    before: readonly JsonValue[],
    after: readonly JsonValue[],
    path: string,
  ): void {
    const removed = before.filter((each) => !after.some((other) => equal(each, other)));
    const added = after.filter((each) => !before.some((other) => equal(each, other)));
    if (removed.length === 1 && added.length === 1)
      return this.compare(removed[0]!, added[0]!, path);
    if (removed.length + added.length === 0) return;
    const text = `alternatives changed: ${removed.length} removed, ${added.length} added`;
    this.#changes.add('ALTERNATIVES_CHANGED', path, ends(removed, added), text);
  }
}

/**
 * Returns the ends that break: values in `lost` are refused now, and values in `gained` are new.
 */
function ends(lost: readonly unknown[], gained: readonly unknown[]): End[] {
  const found: End[] = [];
  if (lost.length > 0) found.push('sender');
  if (gained.length > 0) found.push('receiver');
  return found;
}

/** Returns a schema without its reference; a schema that cannot be found allows everything. */
function schemaOf(root: JsonSchema, given: JsonValue): JsonSchema {
  if (given === false) return { not: {} };
  return resolve(root, given) ?? {};
}

function alternativesOf(schema: JsonSchema): readonly JsonValue[] {
  const list = schema['anyOf'] ?? schema['oneOf'];
  return Array.isArray(list) ? list : [schema];
}

const TYPES = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'];

/** Returns the types that a schema allows; 'number' includes 'integer'. */
function typesOf({ type, const: only, enum: values }: JsonSchema): Set<string> {
  const given = type === undefined ? undefined : Array.isArray(type) ? type : [type];
  const listed = only === undefined ? (Array.isArray(values) ? values : undefined) : [only];
  const types = given ?? (listed === undefined ? TYPES : listed.map(typeOf));
  const all = new Set(types.map(String));
  if (all.has('number')) all.add('integer');
  return all;
}

function typeOf(value: JsonValue): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

function nameTypes(schema: JsonSchema): string {
  const types = [...typesOf(schema)];
  if (types.length >= TYPES.length) return 'any value';
  return types.filter((type) => type !== 'integer' || !types.includes('number')).join(' or ');
}

function valuesOf({ enum: list, const: only }: JsonSchema): Set<string> | undefined {
  const values = only !== undefined ? [only] : Array.isArray(list) ? list : undefined;
  return values && new Set(values.map((value) => JSON.stringify(value)));
}

function membersOf({ properties }: JsonSchema): Map<string, JsonValue> {
  return new Map(isObject(properties) ? Object.entries(properties) : []);
}

function requiredOf({ required }: JsonSchema): Set<string> {
  return new Set(Array.isArray(required) ? required.map(String) : []);
}

function isClosed({ additionalProperties }: JsonSchema): boolean {
  return additionalProperties === false;
}

function step(key: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/** Returns true if two JSON values are equal, whatever the order of their members. */
function equal(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  return a === b || sorted(a) === sorted(b);
}

function sorted(value: JsonValue | undefined): string | undefined {
  return JSON.stringify(value, (_, inner) =>
    isObject(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** Keywords that bound a number, and whether they bound it from above. */
const BOUNDS: readonly (readonly [keyword: string, isUpper: boolean])[] = [
  ['minimum', false],
  ['exclusiveMinimum', false],
  ['minLength', false],
  ['minItems', false],
  ['minProperties', false],
  ['maximum', true],
  ['exclusiveMaximum', true],
  ['maxLength', true],
  ['maxItems', true],
  ['maxProperties', true],
];

/** Keywords that have a comparison of their own, or that only describe. */
const COMPARED = new Set([
  ...BOUNDS.map(([keyword]) => keyword),
  ...['type', 'enum', 'const', 'properties', 'required', 'additionalProperties', 'items'],
  ...['$schema', '$id', '$defs', '$ref', '$comment', 'title', 'description', 'default'],
  ...['examples', 'deprecated', 'readOnly', 'writeOnly', 'anyOf', 'oneOf'],
]);
