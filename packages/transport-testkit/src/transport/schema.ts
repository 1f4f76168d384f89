// A hand-written Standard Schema: the suite needs one and depends on no schema library.

type Kind = 'string' | 'number' | 'boolean' | 'object' | 'array' | 'any';
interface Issue {
  readonly message: string;
  readonly path: readonly string[];
}

/** The schema interface that `json` accepts: https://standardschema.dev, version 1, synchronous. */
export interface Schema<T> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: 'trunkline-testkit';
    readonly validate: (
      value: unknown,
    ) => { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly Issue[] };
    readonly types?: { readonly input: T; readonly output: T } | undefined;
  };
}

/**
 * Returns a schema for an object that has all these fields, each of its kind; other fields pass
 * through.
 */
export function fields<T extends object>(kinds: { readonly [K in keyof T]: Kind }): Schema<T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'trunkline-testkit',
      validate(value) {
        if (typeof value !== 'object' || value === null)
          return { issues: [{ message: 'expected an object', path: [] }] };
        const issues: Issue[] = [];
        for (const [name, kind] of Object.entries<Kind>(kinds)) {
          const member = (value as Record<string, unknown>)[name];
          if (!isOf(kind, member)) issues.push({ message: `expected ${kind}`, path: [name] });
        }
        return issues.length > 0 ? { issues } : { value: value as T };
      },
    },
  };
}

function isOf(kind: Kind, value: unknown): boolean {
  if (kind === 'any') return true;
  if (kind === 'array') return Array.isArray(value);
  if (kind === 'object')
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === kind;
}
