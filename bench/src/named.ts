// Resolves names on a command line.

/**
 * Returns the items that `names` name, in their own order: those with exactly that name, otherwise
 * those whose names begin with it. Without names, returns all.
 * @throws TypeError with the option, the unknown name and the valid names.
 */
export function named<T>(
  option: string,
  what: string,
  all: readonly T[],
  nameOf: (each: T) => string,
  names: readonly string[],
): T[] {
  if (names.length === 0) return [...all];
  const wanted = new Set<T>();
  for (const name of names) {
    const whole = all.filter((each) => nameOf(each) === name);
    const found = whole.length > 0 ? whole : all.filter((each) => nameOf(each).startsWith(name));
    if (found.length === 0)
      throw new TypeError(
        `--${option}: no ${what} is named '${name}'; there are ${[...new Set(all.map(nameOf))].join(', ')}`,
      );
    for (const each of found) wanted.add(each);
  }
  return all.filter((each) => wanted.has(each));
}
