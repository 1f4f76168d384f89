// What the demo shows: a line that changes in a terminal, a line for each phase elsewhere; then a table.

import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';

export class Screen {
  readonly #out: WriteStream;
  readonly #live: boolean;
  #last = '';

  constructor(out: WriteStream) {
    this.#out = out;
    this.#live = out.isTTY === true;
  }

  /** What goes on at a backend, and how far it is; that only a terminal shows. */
  progress(backend: string, phase: string, count = ''): void {
    const line = headed(backend, phase);
    if (this.#live) this.#out.write(`\r\x1b[2K${`${line} ${count}`.slice(0, (this.#out.columns || 80) - 1)}`);
    else if (line !== this.#last) this.#out.write(`${line}\n`);
    this.#last = line;
  }

  /** What happened at a backend, to stay. */
  note(backend: string, text: string): void {
    this.print(headed(backend, text));
  }

  /** Lines that stay. */
  print(text: string): void {
    if (this.#live) this.#out.write('\r\x1b[2K');
    this.#out.write(`${text}\n`);
    this.#last = '';
  }

  colour(style: 'green' | 'red' | 'bold', text: string): string {
    return this.#live && process.env['NO_COLOR'] === undefined ? styleText(style, text) : text;
  }
}

function headed(backend: string, text: string): string {
  return `${backend.padEnd(6)} ${text}`;
}

/** The first digits of a node id: what people compare. */
export function brief(nodeId: string): string {
  return nodeId.slice(0, 8);
}

/** Columns as wide as their widest cell; the first and the last to the left, numbers to the right. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const last = widths.length - 1;
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : i === last ? cell : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}
