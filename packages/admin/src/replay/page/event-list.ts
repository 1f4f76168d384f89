// The events around the cursor, as a list.

import type { RecordedEvent } from '@trunkline/simulation';
import { formatTime } from '../model/format.ts';
import { describe, type Run } from '../model/run.ts';
import { type Html, html } from './html.ts';

/** Shows the events around the cursor; each is a button that moves the cursor there. */
export function eventList(
  { events }: Run,
  position: number,
  isShown: (event: RecordedEvent) => boolean,
  go: (position: number) => void,
): Html {
  const shown: number[] = [];
  for (let i = position; i >= 0 && shown.length < BEFORE; i--)
    if (isShown(events[i]!)) shown.unshift(i);
  const most = shown.length + AFTER;
  for (let i = position + 1; i < events.length && shown.length < most; i++)
    if (isShown(events[i]!)) shown.push(i);
  return html`
    <section aria-label="Events around the cursor" class="events">
      <h2>Events around the cursor</h2>
      <ol start=${(shown[0] ?? 0) + 1}>
        ${shown.map(
          (each) => html`
            <li key=${each}>
              <button
                type="button"
                class=${events[each]!.kind}
                aria-current=${each === position ? 'step' : undefined}
                onClick=${() => go(each)}
              >
                <span class="when">${formatTime(events[each]!.at)}</span>
                <span>${describe(events[each]!)}</span>
              </button>
            </li>
          `,
        )}
      </ol>
    </section>
  `;
}

/** The numbers of events that are shown before and after the cursor. */
const BEFORE = 12;
const AFTER = 12;
