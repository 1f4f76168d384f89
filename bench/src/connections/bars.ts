// The bars for open connections.

import type { Verdict } from '../bars.ts';
import type { Measurement } from './measure.ts';
import type { Options } from './options.ts';

/**
 * Judges the bars of the measured kinds. Memory is judged only if there were enough connections to
 * tell it from noise.
 */
export function judge(measurements: readonly Measurement[], { smoke }: Options): Verdict[] {
  const verdicts: Verdict[] = [];
  const bare = measurements.find(({ kind }) => kind === 'bare-tls');
  for (const { kind, connections, opened, keeping } of measurements) {
    if (kind === 'trunkline-tls' && bare !== undefined && !smoke) {
      const more = (opened.rss - bare.opened.rss) / 1024;
      verdicts.push({
        bar: `${kind}: at most ${MOST_MORE} KiB of RSS per connection more than bare-tls`,
        ratio: more,
        holds: more <= MOST_MORE,
      });
    }
    if (keeping !== undefined) {
      const lost = Math.max(keeping.lost, connections - keeping.up);
      verdicts.push({
        bar: `${kind}: none of ${connections} connections are lost in ${keeping.minutes.toPrecision(2)} minutes`,
        ratio: lost,
        holds: lost === 0,
      });
    }
  }
  return verdicts;
}

/** The most that a connection may take beyond a bare one, in KiB. */
const MOST_MORE = 16;
