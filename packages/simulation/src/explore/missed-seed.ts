// A message for the end of a program whose searches all ignored SEED, for example because its name
// is misspelled.

import { atExit, kindOfThread } from './runtime.ts';

/** The searches that ran, by the name that SEED had at that time. */
const searches = new Map<string, Set<string>>();

/** Notes that a search ran while SEED asked for the search `asked`. */
export function noteSeed(asked: string, search: string): void {
  if (searches.size === 0) atExit(report);
  searches.set(asked, (searches.get(asked) ?? new Set()).add(search));
}

function report(): void {
  for (const [asked, ran] of searches) {
    if (ran.has(asked)) continue;
    const names = [...ran].slice(0, SHOWN).join(', ');
    const more = ran.size > SHOWN ? ` and ${ran.size - SHOWN} more` : '';
    // biome-ignore lint/style/noRestrictedGlobals: a search has no observer, and its caller is done
    console.error(
      `explore: SEED asks for the search ${JSON.stringify(asked)}, which this ${kindOfThread()} did not run. It ran: ${names}${more}`,
    );
  }
}

/** Maximum number of names in a message. */
const SHOWN = 20;
