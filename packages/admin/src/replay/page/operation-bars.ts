// The operations of a checked history, drawn as bars below the nodes.

import type { Bar } from '../model/bars.ts';
import { type Html, html } from './html.ts';
import { LETTER, labelPlaces } from './label-places.ts';

/** The place of the bars in the picture, in pixels. */
interface Place {
  readonly top: number;
  /** The edges of the part that shows the period. */
  readonly left: number;
  readonly right: number;
  x(at: number): number;
}

/** Returns the height of the rows of operations, in pixels. */
export function heightOf(bars: readonly Bar[]): number {
  return Math.max(0, ...bars.map(({ row }) => row + 1)) * ROW;
}

/** Returns the middle of the first row of each client, in pixels below the top. */
export function clientsOf(bars: readonly Bar[]): { readonly client: string; readonly y: number }[] {
  return bars
    .filter(({ client }, index) => client !== bars[index - 1]?.client)
    .map(({ client, row }) => ({ client, y: row * ROW + ROW / 2 }));
}

/** Draws the bars. Each has its text inside or beside it, if there is room. */
export function operationBars(bars: readonly Bar[], { top, left, right, x }: Place): Html[] {
  const place = labelPlaces();
  const drawn = bars.map((bar) => {
    const row = bars.filter((other) => other.row === bar.row);
    const index = row.indexOf(bar);
    const [before, next] = [row[index - 1], row[index + 1]];
    const start = x(bar.from);
    return {
      bar,
      y: top + bar.row * ROW,
      start,
      end: bar.to === undefined ? right : x(bar.to),
      from: Math.max(left, before === undefined ? left : x(before.to!)),
      to: Math.min(right, next === undefined ? right : x(next.from)),
    };
  });
  // The culprits choose their places first.
  const inOrder = [...drawn].sort((one, other) => +other.bar.culprit - +one.bar.culprit);
  return inOrder
    .filter(({ start, end }) => end >= left && start <= right)
    .map(({ bar: { text, culprit, to: returned }, y, start, end, from, to }) => {
      const label = `${culprit ? '✖ ' : ''}${text}`;
      const inside = Math.max(start, left) + 4;
      const fits = (edge: number) => Math.floor((edge - inside) / LETTER);
      const beside = start - 6 - label.length * LETTER;
      // The whole text after the start of the bar, or before it; otherwise, its beginning.
      const places: readonly (readonly [at: number, shown: string])[] = [
        [inside, fits(to) < label.length ? '' : label],
        [beside, beside < from ? '' : label],
        [inside, shortened(label, fits(to))],
        [inside, shortened(label, fits(end))],
        [inside, culprit ? '✖' : ''],
      ];
      const [at, shown] = places.find(([at, shown]) => shown !== '' && place(at, y, shown)) ?? [
        inside,
        '',
      ];
      return html`
        <g class=${`operation${culprit ? ' culprit' : ''}${returned === undefined ? ' open' : ''}`}>
          <title>${text}</title>
          <rect x=${start} y=${y + 2} width=${Math.max(3, end - start)} height=${ROW - 4} />
          <text x=${at} y=${y + ROW / 2 + 4}>${shown}</text>
        </g>
      ` as Html;
    });
}

function shortened(text: string, letters: number): string {
  if (text.length <= letters) return text;
  return letters < 4 ? '' : `${text.slice(0, letters - 1)}…`;
}

/** The height of a row, in pixels. */
const ROW = 20;
