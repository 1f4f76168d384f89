// The names and the colors of nodes.

/** Returns a name such as 'Calm Otter'. It follows from the id, so two nodes may have the same. */
export function nameOf(nodeId: string): string {
  const byte = (at: number) => Number.parseInt(nodeId.slice(2 * at, 2 * at + 2), 16);
  return `${MOODS[byte(0) % MOODS.length]} ${ANIMALS[byte(1) % ANIMALS.length]}`;
}

/** Returns the color of a node, which fits light and dark pages. */
export function colorOf(nodeId: string): string {
  return `oklch(0.66 0.17 ${Number.parseInt(nodeId.slice(4, 8), 16) % 360})`;
}

const MOODS = [
  ...['Calm', 'Bold', 'Quick', 'Shy', 'Merry', 'Keen', 'Quiet', 'Brave'],
  ...['Gentle', 'Lucky', 'Sleepy', 'Witty', 'Proud', 'Swift', 'Sunny', 'Wild'],
];

const ANIMALS = [
  ...['Otter', 'Heron', 'Lynx', 'Badger', 'Falcon', 'Seal', 'Hare', 'Raven'],
  ...['Fox', 'Owl', 'Toad', 'Stork', 'Mole', 'Wren', 'Ibex', 'Crane'],
];
