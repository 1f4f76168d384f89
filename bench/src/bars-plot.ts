// Draws ratios as a small SVG bar chart with a logarithmic axis: slower extends to the left of 1,
// faster to the right.

import { COLORS, escapeText, INK, round } from './plot.ts';

export interface Bar {
  readonly label: string;
  /** A number above 0. */
  readonly ratio: number;
  /** The index of the color in those of the plots; undefined for the color of the axes. */
  readonly color?: number | undefined;
}

export interface BarsPlot {
  /** The name of the file, without its extension. */
  readonly name: string;
  readonly title: string;
  /** The label of the axis. */
  readonly label: string;
  readonly groups: readonly { readonly title: string; readonly bars: readonly Bar[] }[];
}

export function formatBars({ title, label, groups }: BarsPlot): string {
  const ratios = groups.flatMap(({ bars }) => bars.map(({ ratio }) => ratio));
  const from = Math.min(Math.floor(Math.log10(Math.min(...ratios))), -1);
  const to = Math.max(Math.ceil(Math.log10(Math.max(...ratios))), 1);
  const ticks = Array.from({ length: to - from + 1 }, (_, at) => from + at);
  const atX = (power: number) => round(LEFT + (WIDTH * (power - from)) / (to - from));
  const rows = groups.reduce((sum, { bars }) => sum + bars.length, 0);
  const bottom = TOP + rows * LINE + groups.length * (LINE + GAP);
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + 56} ${bottom + 48}" font-family="system-ui, sans-serif" font-size="12" fill="${INK}">`,
    `<title>${escapeText(title)}</title>`,
    `<text x="16" y="20" font-size="14" font-weight="600">${escapeText(title)}</text>`,
    ...ticks.map(
      (tick) =>
        `<path d="M${atX(tick)} ${TOP}V${bottom}" stroke="${INK}" stroke-opacity="${tick === 0 ? 1 : 0.25}"/>`,
    ),
    ...ticks.map(
      (tick) =>
        `<text x="${atX(tick)}" y="${bottom + 16}" text-anchor="middle">${Number((10 ** tick).toPrecision(1))}</text>`,
    ),
    `<text x="${LEFT + WIDTH / 2}" y="${bottom + 36}" text-anchor="middle">${escapeText(label)}</text>`,
  ];
  let y = TOP;
  for (const group of groups) {
    y += LINE;
    lines.push(`<text x="16" y="${y - 4}" font-weight="600">${escapeText(group.title)}</text>`);
    for (const { label: name, ratio, color } of group.bars) {
      const end = atX(Math.log10(ratio));
      const [x, width] = [Math.min(end, atX(0)), round(Math.max(Math.abs(end - atX(0)), 1))];
      lines.push(
        `<text x="${LEFT - 8}" y="${y + 12}" text-anchor="end">${escapeText(name)}</text>`,
        `<rect x="${x}" y="${y + 2}" width="${width}" height="${LINE - 4}" fill="${color === undefined ? INK : COLORS[color % COLORS.length]}"/>`,
        `<text x="${Math.max(end, atX(0)) + 4}" y="${y + 12}">${ratio < 0.1 ? ratio.toPrecision(2) : ratio.toFixed(2)}</text>`,
      );
      y += LINE;
    }
    y += GAP;
  }
  return `${[...lines, '</svg>'].join('\n')}\n`;
}

const LEFT = 170;
const TOP = 32;
const WIDTH = 440;
const LINE = 16;
const GAP = 8;
