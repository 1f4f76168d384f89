// The text fields that users give: the metadata of a call or an error, and the fields of a hello.

import { isPlainObject } from './plain.ts';

/** Strings by name: an object, or `Headers`, a Map or any other iterable of pairs. */
export type TextFields =
  | Readonly<Record<string, string>>
  | Iterable<readonly [name: string, value: string]>;

/**
 * Returns text fields as an object: a plain object as it is, pairs as a new object without a
 * prototype.
 *
 * @throws TypeError for any other value, and for a name that is given twice; `what` names the
 *   fields in the error. The values are not checked.
 */
export function fieldsOf(given: TextFields, what: string): Readonly<Record<string, string>> {
  if (isPlainObject(given)) return given as Record<string, string>;
  const fields: Record<string, string> = Object.create(null);
  if (typeof given !== 'object' || given === null || !(Symbol.iterator in given)) throw unfit(what);
  for (const pair of given as Iterable<readonly [string, string]>) {
    if (!Array.isArray(pair) || typeof pair[0] !== 'string') throw unfit(what);
    const [name, value] = pair;
    if (name in fields) throw new TypeError(`${what}: '${name}' is given twice`);
    fields[name] = value;
  }
  return fields;
}

function unfit(what: string): TypeError {
  return new TypeError(
    `${what}: must be strings in a plain object, Headers, a Map or a list of pairs`,
  );
}
