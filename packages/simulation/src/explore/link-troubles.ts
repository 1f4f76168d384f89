// The troubles of a link that shrinking can remove.

import type { LinkOptions } from '../network/link-settings.ts';

/** Link options that make a link bad. */
export const TROUBLES = ['loss', 'burst', 'duplicate', 'reorder', 'corrupt'] as const;
export type LinkTrouble = (typeof TROUBLES)[number];

/** Returns a link without the given troubles. */
export function withoutTroubles(
  link: LinkOptions | undefined,
  troubles: readonly LinkTrouble[],
): LinkOptions | undefined {
  if (link === undefined || troubles.length === 0) return link;
  const calm = { ...link };
  for (const trouble of troubles) delete calm[trouble];
  return calm;
}
