// The kinds of floods that can be measured.

export type FloodKind = 'hold' | 'hello' | 'handshake';

const ALL: readonly FloodKind[] = ['hold', 'hello', 'handshake'];

/**
 * Returns the kinds with the given names; without names, those that are measured by default.
 * @throws TypeError if there is no kind of a given name.
 */
export function floodKindsOf(names: readonly string[]): readonly FloodKind[] {
  for (const name of names) {
    if (!ALL.some((kind) => kind === name))
      throw new TypeError(`--only: no flood is named '${name}'; there are ${ALL.join(', ')}`);
  }
  return names.length === 0 ? ['hold', 'hello'] : ALL.filter((kind) => names.includes(kind));
}
