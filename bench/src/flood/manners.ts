// How a flood behaves.

export type Manner = 'hold' | 'hello' | 'handshake';

const ALL: readonly Manner[] = ['hold', 'hello', 'handshake'];

/** Those that are named; without any, those that are measured by default. @throws TypeError for a name that is none. */
export function mannersOf(names: readonly string[]): readonly Manner[] {
  for (const name of names) {
    if (!ALL.some((manner) => manner === name)) throw new TypeError(`--only: no flood is named '${name}'; there are ${ALL.join(', ')}`);
  }
  return names.length === 0 ? ['hold', 'hello'] : ALL.filter((manner) => names.includes(manner));
}
