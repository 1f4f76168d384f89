// The disturbances of a link that shrinking can remove.

import type { LinkOptions } from '../network/link-settings.ts';

/** The link options that disturb a link. */
export const TROUBLES = ['loss', 'burst', 'duplicate', 'reorder', 'corrupt'] as const;
export type LinkTrouble = (typeof TROUBLES)[number];

/** Returns a link without the given disturbances. */
export function withoutTroubles(
  link: LinkOptions | undefined,
  troubles: readonly LinkTrouble[],
): LinkOptions | undefined {
  if (link === undefined || troubles.length === 0) return link;
  const calm = { ...link };
  for (const trouble of troubles) delete calm[trouble];
  return calm;
}
