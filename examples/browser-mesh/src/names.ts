// The names and the colors of nodes.

/** The colors of nodes, as angles on the color wheel. */
const HUES = [25, 61, 97, 133, 169, 205, 241, 277, 313, 349];

/** Returns a name such as 'Calm Otter'. It follows from the id, so two nodes may have the same. */
export function nameOf(nodeId: string): string {
  const byte = (at: number) => Number.parseInt(nodeId.slice(2 * at, 2 * at + 2), 16);
  return `${MOODS[byte(0) % MOODS.length]} ${ANIMALS[byte(1) % ANIMALS.length]}`;
}

/** Returns the color that a node has at first. */
export function firstHue(nodeId: string): number {
  return HUES[Number.parseInt(nodeId.slice(4, 8), 16) % HUES.length]!;
}

/** Returns a color that is not in use. Undefined if all of them are. */
export function freeHue(used: ReadonlySet<number>): number | undefined {
  return HUES.find((hue) => !used.has(hue));
}

/** Returns a color that is as light as that of every other hue, so that it fits both schemes. */
export function colorOf(hue: number): string {
  return `oklch(0.66 0.17 ${hue})`;
}

const MOODS = [
  ...['Calm', 'Bold', 'Quick', 'Shy', 'Merry', 'Keen', 'Quiet', 'Brave'],
  ...['Gentle', 'Lucky', 'Sleepy', 'Witty', 'Proud', 'Swift', 'Sunny', 'Wild'],
];
const ANIMALS = [
  ...['Otter', 'Heron', 'Lynx', 'Badger', 'Falcon', 'Seal', 'Hare', 'Raven'],
  ...['Fox', 'Owl', 'Toad', 'Stork', 'Mole', 'Wren', 'Ibex', 'Crane'],
];
