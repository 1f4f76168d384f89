// The slider over the last ten minutes.

import { duration } from '../model/format.ts';
import { html } from './html.ts';
import type { Session } from './session.ts';

export function TimeLine({ session }: { readonly session: Session }) {
  const { moments } = session.history;
  const { index, isLive, moment, marked } = session;
  const last = moments.at(-1);
  if (moment === undefined || last === undefined) return html`<footer></footer>`;
  const text = isLive ? 'now' : `${duration(last.at - moment.at)} ago`;
  const markedText = marked === undefined ? '' : `${duration(last.at - marked.at)} ago`;
  return html`<footer>
    <div class="slider">
      <span aria-hidden="true">Time</span>
      <input
        type="range"
        aria-label="Time"
        min="0"
        max=${Math.max(1, moments.length - 1)}
        value=${index}
        aria-valuetext=${text}
        onInput=${({ currentTarget }: { readonly currentTarget: HTMLInputElement }) =>
          session.seek(currentTarget.valueAsNumber)}
      />
    </div>
    <output>${text}</output>
    <button type="button" aria-pressed=${isLive} onClick=${() => session.seek(moments.length)}>
      Live
    </button>
    <button
      type="button"
      onClick=${() => session.mark(marked === undefined ? index : undefined)}
      title=${marked === undefined ? MARK : `The marked moment was ${markedText}`}
    >
      ${marked === undefined ? 'Mark' : 'Unmark'}
    </button>
  </footer>`;
}

const MARK = 'Compare shows what differs between the marked moment and the shown one';
