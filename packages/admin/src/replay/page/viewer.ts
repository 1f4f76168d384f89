// The viewer: owns the cursor, the visible period and the filter, and lays out the parts of the
// page.

import { useCallback, useMemo, useState } from 'preact/hooks';
import { formatTime } from '../model/format.ts';
import { type Filter, isShown, label, type Run, statesAt, step } from '../model/run.ts';
import { eventList } from './event-list.ts';
import { filters } from './filters.ts';
import { heading } from './heading.ts';
import { type Html, html } from './html.ts';
import { nodeList } from './node-list.ts';
import { Timeline, type View } from './timeline.ts';

/** Shows a recording. */
export function Viewer({ run }: { readonly run: Run }): Html {
  const last = run.events.length - 1;
  const [position, setPosition] = useState(run.failed);
  const [filter, setFilter] = useState<Filter>({ hidden: new Set(), method: '' });
  const [view, setView] = useState<View>(() => firstView(run));
  const states = useMemo(() => statesAt(run, position), [run, position]);

  const go = useCallback(
    (next: number) => {
      setPosition(next);
      const at = run.events[next]?.at ?? run.from;
      // The cursor stays visible.
      setView((now) => (at < now.from || at > now.to ? centered(run, at, now.to - now.from) : now));
    },
    [run],
  );
  const zoom = useCallback(
    (factor: number) => {
      setView((now) => {
        const at = run.events[position]?.at ?? (now.from + now.to) / 2;
        return centered(run, at, (now.to - now.from) * factor);
      });
    },
    [run, position],
  );
  const move = (by: number) => {
    let next = position;
    for (let i = 0; i < Math.abs(by); i++) next = step(run, next, by < 0 ? -1 : 1, filter);
    go(next);
  };
  const end = (by: 1 | -1) =>
    go(step(run, by < 0 ? -1 : run.events.length, by < 0 ? 1 : -1, filter));

  const onKeyDown = (event: KeyboardEvent) => {
    const actions: Readonly<Record<string, () => void>> = {
      ArrowRight: () => move(1),
      ArrowUp: () => move(1),
      ArrowLeft: () => move(-1),
      ArrowDown: () => move(-1),
      PageUp: () => move(10),
      PageDown: () => move(-10),
      Home: () => end(-1),
      End: () => end(1),
      '+': () => zoom(1 / ZOOM),
      '=': () => zoom(1 / ZOOM),
      '-': () => zoom(ZOOM),
      0: () => setView({ from: run.from, to: run.to }),
    };
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : actions[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  };

  const button = (name: string, sign: string, action: () => void) =>
    html`<button type="button" aria-label=${name} title=${name} onClick=${action}>${sign}</button>`;
  return html`
    ${heading(run)}
    <main>
      <section aria-label="Time line" class="time">
        <div class="tools">
          ${button('First event', '|◀', () => end(-1))}
          ${button('Previous event', '◀', () => move(-1))}
          ${button('Next event', '▶', () => move(1))}
          ${button('Last event', '▶|', () => end(1))}
          ${button('Zoom in', '+', () => zoom(1 / ZOOM))}
          ${button('Zoom out', '−', () => zoom(ZOOM))}
          ${button('Show the whole recording', '↔', () => setView({ from: run.from, to: run.to }))}
          <output class="now">
            Event ${position + 1} of ${run.events.length}, at ${formatTime(run.events[position]?.at ?? run.from)}
          </output>
        </div>
        ${filters(run, filter, setFilter)}
        <div
          class="cursor"
          role="slider"
          tabindex="0"
          aria-label="Cursor"
          aria-valuemin="0"
          aria-valuemax=${Math.max(0, last)}
          aria-valuenow=${Math.max(0, position)}
          aria-valuetext=${label(run, position)}
          onKeyDown=${onKeyDown}
        >
          <${Timeline} run=${run} view=${view} position=${position} filter=${filter} go=${go} show=${setView} />
        </div>
        <p class="event" aria-live="polite">${label(run, position)}</p>
      </section>
      ${nodeList(run, states, filter, position === last)}
      ${eventList(run, position, (each) => isShown(each, filter), go)}
    </main>
  `;
}

/**
 * Returns the period that is shown at first: about 60 events until the failure, and the operations
 * that explain it.
 */
function firstView({ recording: { failure }, events, bars, failed, from, to }: Run): View {
  const end = failure?.at ?? to;
  // Operations from before the recording are out of view, unless the failure is, too.
  const earliest = failed > 0 ? events[0]!.at : from;
  const start = Math.min(
    events[Math.max(0, failed - 59)]?.at ?? from,
    ...bars.map((bar) => Math.max(bar.from, earliest)),
  );
  const room = Math.max((end - start) * 0.05, 1e-3);
  return { from: start - room, to: end + room };
}

/**
 * Returns a view around a time. The view stays within the recording, with some room at both ends.
 */
function centered({ from, to }: Run, at: number, wanted: number): View {
  const span = Math.max(Math.min(wanted, to - from), 1e-3);
  const room = span * 0.04;
  const start = Math.min(
    Math.max(at - span / 2, from - room),
    Math.max(to - span + room, from - room),
  );
  return { from: start, to: start + span };
}

/** The factor by which one zoom step changes the period. */
const ZOOM = 1.6;
