// Finds schemas of values that JSON can't carry, by the kinds that zod 4, valibot and arktype give
// their schemas.

import type { StandardSchemaV1 } from '@standard-schema/spec';

/**
 * Refuses a schema if it, a member that it requires, or an element of its lists is of a kind that
 * JSON does not have. It looks into objects, lists, unions and wrappers of zod and valibot, and at
 * arktype's own kind. It passes lazy schemas, and those of unknown kinds.
 *
 * @throws TypeError that names the place and what to use instead.
 */
export function refuseMisfit(schema: StandardSchemaV1): void {
  if (!/^(zod|valibot|arktype)$/.test(schema['~standard'].vendor)) return;
  let found: string | undefined;
  try {
    found = misfitOf(schema as Schema, '', new Set());
  } catch {
    // A getter of a recursive schema refers to one that is not defined yet.
  }
  if (found !== undefined) throw new TypeError(`json: value${found}`);
}

/** The parts of zod's definitions (in `_zod`), valibot's and arktype's schemas that are read. */
interface Schema {
  readonly _zod?: { readonly def: Schema; readonly optin?: string };
  readonly type?: string;
  readonly expression?: string;
  readonly coerce?: boolean;
  readonly fallback?: unknown;
  readonly innerType?: Schema;
  readonly wrapped?: Schema;
  readonly in?: Schema;
  readonly element?: Schema;
  readonly item?: Schema;
  readonly options?: readonly Schema[];
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly entries?: Readonly<Record<string, Schema>>;
}

/** Returns the first misfit: its path, and what is wrong. */
function misfitOf(schema: Schema, path: string, seen: Set<unknown>): string | undefined {
  const def = schema._zod?.def ?? schema;
  const kind = (def.expression ?? def.type ?? '').toLowerCase();
  if (seen.has(schema) || def.coerce || 'fallback' in def || /null|catch/.test(kind)) return;
  seen.add(schema);
  const misfit = MISFIT.exec(kind);
  if (misfit !== null) {
    const [, isNothing, isDate] = misfit;
    return `${path}: JSON has no value of the kind '${kind}'; ${isNothing ? 'for no content, use the codec `empty`' : `use ${isDate ? 'a string such as z.iso.datetime()' : 'strings, lists and objects'}`}`;
  }
  const inner = def.innerType ?? def.wrapped ?? def.in;
  if (inner !== undefined) return misfitOf(inner, path, seen);
  const element = def.element ?? def.item;
  if (element !== undefined) return misfitOf(element, `${path}[]`, seen);
  if (kind === 'union') {
    const all = def.options!.map((option) => misfitOf(option, path, seen));
    return all.includes(undefined) ? undefined : all[0];
  }
  for (const [name, member] of Object.entries(def.shape ?? def.entries ?? {})) {
    const isOptional = member._zod ? member._zod.optin : /optional|nullish/.test(member.type ?? '');
    const found = isOptional ? undefined : misfitOf(member, `${path}.${name}`, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The kinds that JSON does not have: no content, dates, and others. */
const MISFIT = /^(?:(void|undefined)|(date)|map|set|bigint|symbol|nan|function|promise|file|blob)$/;
