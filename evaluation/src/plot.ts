// Draws plots as small SVG files that are readable on light and dark backgrounds.

export interface Axis {
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly number[];
  /**
   * The label of a tick, for logarithmic axes and others without plain numbers. Default: its
   * number.
   */
  readonly name?: ((tick: number) => string) | undefined;
}

export interface Series {
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Draws the line dashed, as published figures are. */
  readonly isDashed?: boolean | undefined;
}

export interface Plot {
  /** The name of the file, without its extension. */
  readonly name: string;
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

export function formatSvg({ title, x, y, series }: Plot): string {
  const height = TOP + HEIGHT + 56 + LINE * series.length;
  const atX = (value: number) => round(LEFT + (WIDTH * (value - x.from)) / (x.to - x.from));
  const atY = (value: number) =>
    round(TOP + HEIGHT - (HEIGHT * (value - y.from)) / (y.to - y.from));
  const legend = (row: number) => TOP + HEIGHT + 56 + LINE * row;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + 24} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="${INK}">`,
    `<title>${escapeText(title)}</title>`,
    `<text x="${LEFT}" y="20" font-size="14" font-weight="600">${escapeText(title)}</text>`,
    ...y.ticks.map(
      (tick) => `<path d="M${LEFT} ${atY(tick)}h${WIDTH}" stroke="${INK}" stroke-opacity="0.25"/>`,
    ),
    ...y.ticks.map(
      (tick) =>
        `<text x="${LEFT - 8}" y="${atY(tick) + 4}" text-anchor="end">${nameOf(y, tick)}</text>`,
    ),
    ...x.ticks.map((tick) => `<path d="M${atX(tick)} ${TOP + HEIGHT}v5" stroke="${INK}"/>`),
    ...x.ticks.map(
      (tick) =>
        `<text x="${atX(tick)}" y="${TOP + HEIGHT + 18}" text-anchor="middle">${nameOf(x, tick)}</text>`,
    ),
    `<path d="M${LEFT} ${TOP}v${HEIGHT}h${WIDTH}" fill="none" stroke="${INK}"/>`,
    `<text x="${LEFT + WIDTH / 2}" y="${TOP + HEIGHT + 36}" text-anchor="middle">${escapeText(x.label)}</text>`,
    `<text x="14" y="${TOP + HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 14 ${TOP + HEIGHT / 2})">${escapeText(y.label)}</text>`,
    ...series.flatMap(({ label, points, isDashed }, i) => {
      const color = COLORS[i % COLORS.length]!;
      const dash = isDashed ? ' stroke-dasharray="6 4"' : '';
      const path = points
        .map(([px, py], at) => `${at === 0 ? 'M' : 'L'}${atX(px)} ${atY(py)}`)
        .join('');
      return [
        `<path d="${path}" fill="none" stroke="${color}" stroke-width="2"${dash}/>`,
        ...points.map(
          ([px, py]) => `<circle cx="${atX(px)}" cy="${atY(py)}" r="3" fill="${color}"/>`,
        ),
        `<path d="M${LEFT} ${legend(i)}h28" stroke="${color}" stroke-width="2"${dash}/><circle cx="${LEFT + 14}" cy="${legend(i)}" r="3" fill="${color}"/>`,
        `<text x="${LEFT + 36}" y="${legend(i) + 4}">${escapeText(label)}</text>`,
      ];
    }),
    '</svg>',
  ];
  return `${lines.join('\n')}\n`;
}

function nameOf({ name = String }: Axis, tick: number): string {
  return escapeText(name(tick));
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export function escapeText(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

const LEFT = 64;
const TOP = 36;
const WIDTH = 560;
const HEIGHT = 280;
const LINE = 20;
/** A gray between black and white that is readable on both. */
export const INK = '#7d7d7d';
/** Colors that color-blind readers can tell apart (Okabe and Ito). */
export const COLORS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#56b4e9'];
