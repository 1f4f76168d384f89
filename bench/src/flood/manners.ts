// The ways in which a flood can behave.

export type Manner = 'hold' | 'hello' | 'handshake';

const ALL: readonly Manner[] = ['hold', 'hello', 'handshake'];

/**
 * Returns the named manners; without names, those that are measured by default.
 * @throws TypeError if no manner has a given name.
 */
export function mannersOf(names: readonly string[]): readonly Manner[] {
  for (const name of names) {
    if (!ALL.some((manner) => manner === name))
      throw new TypeError(`--only: no flood is named '${name}'; there are ${ALL.join(', ')}`);
  }
  return names.length === 0 ? ['hold', 'hello'] : ALL.filter((manner) => names.includes(manner));
}
