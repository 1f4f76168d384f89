// Random JSON values for the tests of the JSON codec.

import type { Random } from '../../random.ts';

export function randomJson(random: Random, depth: number): unknown {
  const kind = Math.floor(random() * (depth > 0 ? 7 : 5));
  if (kind === 0) return null;
  if (kind === 1) return random() < 0.5;
  if (kind === 2) return Math.floor(random() * 2 ** 53) - 2 ** 52;
  if (kind === 3) return (random() - 0.5) * 10 ** Math.floor(random() * 600 - 300);
  if (kind === 4) return randomText(random);
  const length = Math.floor(random() * 5);
  if (kind === 5) return Array.from({ length }, () => randomJson(random, depth - 1));
  return Object.fromEntries(
    Array.from({ length }, () => [randomText(random), randomJson(random, depth - 1)]),
  );
}

export function randomText(random: Random): string {
  const codePoints = Array.from({ length: Math.floor(random() * 8) }, () => {
    const point = Math.floor(random() * (random() < 0.5 ? 0x80 : 0x11_0000));
    return point >= 0xd800 && point <= 0xdfff ? 0x20 : point;
  });
  return String.fromCodePoint(...codePoints);
}
