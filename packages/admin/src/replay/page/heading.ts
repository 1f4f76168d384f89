// The head of the page: what failed, with which seed and faults, and how to run it again.

import type { Recording } from '@trunkline/simulation';
import { formatTime } from '../model/format.ts';
import { missing, type Run } from '../model/run.ts';
import { type Html, html } from './html.ts';

/** Shows the failure, or that there is none. */
export function heading({ recording }: Run): Html {
  const { seed, failure, search, at, level, dropped, hash, events } = recording;
  return html`
    <header>
      <h1>${search?.scenario ?? 'A recorded simulation'}, seed ${String(seed)}</h1>
      <p class=${failure === undefined ? 'passed' : 'failed'}>
        ${failure === undefined ? `No failure until ${formatTime(at)}.` : `Failed: ${failure.message}`}
      </p>
      ${failure?.text === undefined ? '' : html`<pre tabindex="0" role="region" aria-label="Explanation">${rest(failure)}</pre>`}
      ${missing(recording) === undefined ? '' : html`<p class="hint">${missing(recording)}</p>`}
      <details>
        <summary>About this run</summary>
        <dl>
          ${row('Level', level)}
          ${row('Profile', search?.profile)}
          ${row('Events', `${events.length}${dropped > 0 ? ` (${dropped} earlier ones were not kept)` : ''}`)}
          ${row('Hash of the trace', hash)}
          ${row('Run it again', search?.replay)}
        </dl>
        ${
          search === undefined || search.schedule.length === 0
            ? ''
            : html`
                <h2>Faults: ${search.schedule.length} of ${search.faults} are enough</h2>
                <ul>
                  ${search.schedule.map(({ at: time, fault }) => html`<li>${formatTime(time)}: ${fault}</li>`)}
                </ul>
              `
        }
      </details>
    </header>
  `;
}

/** Returns the message of a failure without its first line. */
function rest({ text = '', message }: NonNullable<Recording['failure']>): string {
  return text.slice(message.length + 1);
}

function row(name: string, value: string | undefined): Html | string {
  return value === undefined ? '' : html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}
