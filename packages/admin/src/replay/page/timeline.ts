// The picture: nodes are rows, time runs to the right, messages are arrows. It is drawn in SVG and
// hidden from screen readers: the slider around it, the list of events and the message of the
// failure have the same contents.

import { useEffect, useRef, useState } from 'preact/hooks';
import { formatTime, ticks } from '../model/format.ts';
import { type Filter, isShown, type Message, nearest, type Run } from '../model/run.ts';
import { type Html, html } from './html.ts';
import { labelPlaces, type PlaceLabel } from './label-places.ts';
import { clientsOf, heightOf, operationBars } from './operation-bars.ts';

/** The period that the picture shows, in virtual milliseconds. */
export interface View {
  readonly from: number;
  readonly to: number;
}

interface Props {
  readonly run: Run;
  readonly view: View;
  /** The position of the event at the cursor. */
  readonly position: number;
  readonly filter: Filter;
  go(position: number): void;
  show(view: View): void;
}

/** Draws the nodes, messages, faults and the cursor. */
export function Timeline({ run, view, position, filter, go, show }: Props): Html {
  const [width, setWidth] = useState(800);
  const holder = useRef<HTMLDivElement>(null);
  const drag = useRef<{ readonly x: number; readonly view: View; moved: boolean } | undefined>(
    undefined,
  );
  useEffect(() => {
    const element = holder.current!;
    const observer = new ResizeObserver(() => setWidth(Math.max(200, element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const rows = run.lanes.filter(({ name }) => !filter.hidden.has(name));
  const y = new Map(rows.map(({ name }, row) => [name, TOP + row * ROW + ROW / 2]));
  const { bars } = run;
  const failedAt = run.recording.failure?.at ?? run.to;
  const top = TOP + rows.length * ROW + 4;
  const height = top + heightOf(bars) + 4;
  const titles = [...rows.map(({ name }) => name), ...bars.map(({ client }) => client)];
  const names = Math.min(140, Math.max(44, ...titles.map((name) => name.length * 8 + 12)));
  const x = (at: number) =>
    names + ((at - view.from) / (view.to - view.from)) * (width - names - 8);
  const timeAt = (pixel: number) =>
    view.from + ((pixel - names) / (width - names - 8)) * (view.to - view.from);
  const inView = (from: number, to: number) => to >= view.from && from <= view.to;

  const messages = run.messages.filter(
    ({ from, to, method, sentAt, endAt }) =>
      inView(sentAt, endAt) &&
      y.has(from) &&
      y.has(to) &&
      (filter.method === '' || method === filter.method),
  );
  const drawn = messages.length > MESSAGES ? sample(messages) : messages;
  const marks = run.events.flatMap((event, at) =>
    MARKS[event.kind] !== undefined &&
    inView(event.at, event.at) &&
    y.has(event.from ?? '') &&
    isShown(event, filter)
      ? [{ event, at }]
      : [],
  );
  const faults = run.events.filter(({ kind, at }) => kind === 'fault' && inView(at, at));
  const now = run.events[position];
  const place = labelPlaces();

  const local = (event: PointerEvent | MouseEvent | WheelEvent) =>
    event.clientX - holder.current!.getBoundingClientRect().left;
  const onPointerDown = (event: PointerEvent) => {
    drag.current = { x: local(event), view, moved: false };
  };
  const onPointerMove = (event: PointerEvent) => {
    const from = drag.current;
    if (from === undefined || event.buttons === 0) return;
    const by = local(event) - from.x;
    if (Math.abs(by) < 4 && !from.moved) return;
    from.moved = true;
    const shift = (by / (width - names - 8)) * (from.view.to - from.view.from);
    show({ from: from.view.from - shift, to: from.view.to - shift });
  };
  const onPointerUp = (event: PointerEvent) => {
    const moved = drag.current?.moved === true;
    drag.current = undefined;
    const found = moved ? -1 : nearest(run, timeAt(local(event)), filter);
    if (found >= 0) go(found);
  };

  return html`
    <div
      class="picture"
      ref=${holder}
      aria-hidden="true"
      onPointerDown=${onPointerDown}
      onPointerMove=${onPointerMove}
      onPointerUp=${onPointerUp}
    >
      <svg width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`}>
        <defs>
          <marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
            <path d="M0 0L8 4L0 8z" class="head" />
          </marker>
          <clipPath id="inside">
            <rect x=${names} y="0" width=${width - names} height=${height} />
          </clipPath>
        </defs>
        ${ticks(view.from, view.to, Math.max(2, (width - names) / 130)).map(
          (at) => html`
            <line class="tick" x1=${x(at)} x2=${x(at)} y1=${TOP} y2=${height} />
            <text class="axis" x=${x(at) + 3} y=${12}>${formatTime(at)}</text>
          `,
        )}
        ${rows.map(({ name }) => {
          const middle = y.get(name)!;
          return html`
            <line class="lane" x1=${names} x2=${width} y1=${middle} y2=${middle} />
            <text class="name" x="4" y=${middle + 4}>${short(name, names)}</text>
          `;
        })}
        ${clientsOf(bars).map(
          ({ client, y }) =>
            html`<text class="client" x="4" y=${top + y + 4}>${short(client, names)}</text>`,
        )}
        <g clip-path="url(#inside)">
          ${rows.flatMap(({ name, down }) =>
            down
              .filter(({ from, to }) => inView(from, to))
              .map(
                ({ from, to }) => html`
                  <rect
                    class="down"
                    x=${x(from)}
                    y=${y.get(name)! - 9}
                    width=${Math.max(2, x(to) - x(from))}
                    height="18"
                  />
                `,
              ),
          )}
          ${faults.map(({ at, text = '' }, index) => fault(x(at), text, index, height))}
${drawn.map((message) => arrow(message, x, y, position, place))}
          ${marks.map(
            ({ event, at }) => html`
              <text class=${`mark ${event.kind}`} x=${x(event.at)} y=${y.get(event.from!)! - 7}>
                ${MARKS[event.kind]}<title>${at + 1}</title>
              </text>
            `,
          )}
          ${operationBars(bars, { top, left: names, right: width, x })}
          ${
            bars.length === 0
              ? ''
              : html`<line class="violation" x1=${x(failedAt)} x2=${x(failedAt)} y1=${TOP - 4} y2=${height} />`
          }
          ${
            now === undefined
              ? ''
              : html`<line class="cursor-line" x1=${x(now.at)} x2=${x(now.at)} y1=${TOP - 4} y2=${height} />`
          }
        </g>
      </svg>
      ${
        drawn.length < messages.length
          ? html`<p class="hint">${messages.length - drawn.length} of ${messages.length} messages are not drawn. Zoom in to see all.</p>`
          : ''
      }
    </div>
  `;
}

function arrow(
  message: Message,
  x: (at: number) => number,
  y: ReadonlyMap<string, number>,
  position: number,
  place: PlaceLabel,
): Html {
  const { from, to, fate, sentAt, endAt, sent, end, what } = message;
  const [x1, y1, x2, y2] = [x(sentAt), y.get(from)!, x(endAt), y.get(to)!];
  // The arrow of a lost message, or of one in flight, ends before the lane of the receiver.
  const part = fate === 'lost' ? 0.85 : fate === 'in flight' ? 0.6 : 1;
  const [endX, endY] = [x1 + (x2 - x1) * part, y1 + (y2 - y1) * part];
  // The label leaves out the protocol, which the list of events shows.
  const text = what.slice(what.indexOf('/') + 1, what.indexOf('/') + 41);
  const [textX, textY] = [(x1 + endX) / 2 + 4, (y1 + endY) / 2 - 3];
  const hasRoom = place(textX, textY, text);
  const isNow = position === sent || position === end;
  const isPast = sent === undefined || sent <= position;
  const state = `${fate.replace(' ', '-')}${isNow ? ' selected' : ''}${isPast ? '' : ' later'}`;
  return html`
    <line
      class=${`message ${state}`}
      x1=${x1}
      y1=${y1}
      x2=${endX}
      y2=${endY}
      marker-end=${fate === 'lost' ? undefined : 'url(#head)'}
    />
    ${fate === 'lost' ? html`<text class="lost-mark" x=${endX} y=${endY + 4}>✕</text>` : ''}
    ${hasRoom ? html`<text class=${`what ${state}`} x=${textX} y=${textY}>${text}</text>` : ''}
  `;
}

function fault(at: number, text: string, index: number, height: number): Html {
  return html`
    <line class="fault" x1=${at} x2=${at} y1=${TOP - 2} y2=${height} />
    <text class="fault-text" x=${at + 3} y=${26 + (index % 2) * 13}>⚡ ${text.slice(0, 60)}</text>
  `;
}

/** Returns as many messages as can be drawn: all lost ones, and an even selection of the others. */
function sample(messages: readonly Message[]): readonly Message[] {
  const every = Math.ceil(messages.length / MESSAGES);
  return messages.filter(({ fate }, index) => fate === 'lost' || index % every === 0);
}

function short(name: string, width: number): string {
  const most = Math.floor((width - 8) / 8);
  return name.length <= most ? name : `${name.slice(0, most - 1)}…`;
}

/** The signs of events that happen at one node. */
const MARKS: Readonly<Record<string, string>> = {
  booted: '▲',
  crashed: '✖',
  note: '•',
  state: '◆',
  stored: '▪',
  reset: '↯',
  refused: '⊘',
};
/** The height of the axis and of the texts of faults, in pixels. */
const TOP = 46;
/** The height of the row of a node, in pixels. */
const ROW = 44;
/** About the number of messages that are drawn; lost ones are always drawn. */
const MESSAGES = 800;
