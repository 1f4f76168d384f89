// JSON Merge Patch (RFC 7396): the difference between two objects, where null stands for a member
// that is gone. No member of a state is null (see toJson and applyPatch), so every difference can
// be expressed.

/** A JSON value without null. */
export type Json = boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [member: string]: Json };
/** A difference. */
export type Patch = { [member: string]: PatchValue };
export type PatchValue = Json | null | Patch;

/**
 * Returns a value as plain JSON without null: members that are undefined, null or not JSON are left
 * out, also in lists, and so are values that are nested more than 32 levels deep. Returns undefined
 * if the value itself is undefined, null or not JSON.
 */
export function toJson(value: unknown, depth = 0): Json | undefined {
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : undefined;
    case 'object':
      break;
    default:
      return undefined;
  }
  if (value === null || depth > DEEPEST) return undefined;
  if (Array.isArray(value))
    return value.map((each) => toJson(each, depth + 1)).filter((each) => each !== undefined);
  const result: Record<string, Json> = {};
  for (const [key, inner] of Object.entries(value)) {
    const json = toJson(inner, depth + 1);
    if (json !== undefined && key !== '__proto__') result[key] = json;
  }
  return result;
}

/** Returns the patch that makes `before` equal to `after`; undefined if they are equal. */
export function createPatch(before: JsonObject, after: JsonObject): Patch | undefined {
  let patch: Patch | undefined;
  for (const key in after) {
    const [from, to] = [before[key], after[key]!];
    if (from === to) continue;
    let change: PatchValue | undefined = to;
    if (isObject(from) && isObject(to)) change = createPatch(from, to);
    else if (Array.isArray(from) && Array.isArray(to) && sameList(from, to)) continue;
    if (change !== undefined) (patch ??= {})[key] = change;
  }
  for (const key in before) if (!Object.hasOwn(after, key)) (patch ??= {})[key] = null;
  return patch;
}

/** Applies a patch to `target`, as RFC 7396 §2 defines it, and returns the result. */
export function applyPatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key === '__proto__') continue;
    if (value === null) delete result[key];
    else result[key] = applyPatch(result[key], value);
  }
  return result;
}

function sameList(a: readonly Json[], b: readonly Json[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((each, i) => {
    const other = b[i]!;
    if (each === other) return true;
    if (Array.isArray(each) && Array.isArray(other)) return sameList(each, other);
    return isObject(each) && isObject(other) && createPatch(each, other) === undefined;
  });
}

/** Returns true for an object that is no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const DEEPEST = 32;
