// The results of many seeds, and statistics over them.

import type { Job, Result } from './job.ts';
import { show } from './section.ts';

export class Sample {
  readonly results: readonly Result[];

  constructor(results: readonly Result[]) {
    this.results = results;
  }

  /** Returns the results whose jobs match. */
  of(match: Partial<Job>): Sample {
    const wanted = Object.entries(match);
    return new Sample(
      this.results.filter(({ job }) =>
        wanted.every(([key, value]) => job[key as keyof Job] === value),
      ),
    );
  }

  get size(): number {
    return this.results.length;
  }

  /** Returns the figure of each seed; NaN for a seed that lacks it. */
  values(figure: string): number[] {
    return this.results.map(({ figures }) => figures[figure] ?? Number.NaN);
  }

  mean(figure: string): number {
    return this.values(figure).reduce((sum, value) => sum + value, 0) / this.size;
  }

  least(figure: string): number {
    return this.size === 0 ? Number.NaN : Math.min(...this.values(figure));
  }

  most(figure: string): number {
    return this.size === 0 ? Number.NaN : Math.max(...this.values(figure));
  }

  sum(figure: string): number {
    return this.values(figure).reduce((sum, value) => sum + value, 0);
  }

  /** Formats the mean, with the least and the most in brackets if they differ. */
  range(figure: string): string {
    const [least, most] = [show(this.least(figure)), show(this.most(figure))];
    return least === most ? least : `${show(this.mean(figure))} (${least}–${most})`;
  }

  /** Formats the least and the most. */
  span(figure: string): string {
    const [least, most] = [show(this.least(figure)), show(this.most(figure))];
    return least === most ? least : `${least} to ${most}`;
  }
}
