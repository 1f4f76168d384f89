// Lookups of names that nodes choose.

/**
 * Returns an own member of a record. Without this check, a name such as 'toString' would find a
 * member that every object inherits.
 */
export function own<T>(
  record: Readonly<Record<string, T>> | undefined,
  name: string,
): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}
