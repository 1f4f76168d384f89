// A chart over time, or a histogram, drawn by uPlot.

import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { isolated } from '../model/isolated.ts';
import { html } from './html.ts';

/** A line of a chart, or the bars of a histogram. */
export interface Series {
  readonly title: string;
  /** A custom property of the style sheet: 'chart-1'. */
  readonly color: string;
  readonly values: readonly (number | null)[];
}

export interface ChartProperties {
  /** The title, and the text for screen readers. */
  readonly label: string;
  readonly summary: string;
  /** The values on the horizontal axis, in ascending order. */
  readonly x: readonly number[];
  readonly series: readonly Series[];
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
  readonly kind?: 'lines' | 'bars';
}

export function Chart(properties: ChartProperties) {
  const { label, summary, x, series, kind = 'lines' } = properties;
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef(properties);
  latest.current = properties;
  const shape = `${kind} ${series.map(({ title, color }) => `${title} ${color}`).join(', ')}`;
  useEffect(() => {
    const element = frame.current!;
    const create = () => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(element, latest), dataOf(latest.current), element);
    };
    create();
    const resized = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    resized.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', create);
    return () => {
      scheme.removeEventListener('change', create);
      resized.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(dataOf({ x, series })), [x, series]);
  return html`<figure class="chart">
    <figcaption>
      ${label}
      ${series.map(
        ({ title, color }) =>
          html`<span class="key"><i class=${`swatch ${color}`} aria-hidden="true"></i>${title}</span>`,
      )}
    </figcaption>
    <div ref=${frame} role="img" aria-label=${`${label}: ${summary}`}></div>
  </figure>`;
}

const HEIGHT = 170;

function dataOf({ x, series }: Pick<ChartProperties, 'x' | 'series'>): uPlot.AlignedData {
  return [[...x], ...series.map(({ values }) => [...values])];
}

function optionsOf(
  element: HTMLElement,
  latest: { readonly current: ChartProperties },
): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(`--${name}`);
  const { series, kind = 'lines' } = latest.current;
  const axis = (format: (value: number) => string, size: number): uPlot.Axis => ({
    stroke: color('muted'),
    grid: { stroke: color('border'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
    size,
    values: (_, values) => values.map((value) => format(value)),
  });
  return {
    width: Math.max(100, element.clientWidth),
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false }, y: { range: (_, __, most) => [0, Math.max(1e-3, most * 1.1)] } },
    axes: [
      axis((value) => latest.current.formatX(value), 26),
      axis((value) => latest.current.formatY(value), 58),
    ],
    series: [
      {},
      ...series.map(
        ({ title, color: name }): uPlot.Series => ({
          label: title,
          stroke: color(name),
          width: 2,
          // No line leads to a value between two gaps, so it is drawn as a point.
          points: { show: false, filter: (plot, index) => isolated(plot.data[index]!), size: 6 },
          ...(kind === 'bars' && {
            fill: color(name),
            paths: uPlot.paths.bars!({ size: [0.8, 60] }),
          }),
        }),
      ),
    ],
  };
}
