// The output of the demo: a line that changes in a terminal, otherwise a line for each phase; then
// a table.

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

  /** Shows what a backend is doing. Only a terminal shows the count. */
  progress(backend: string, phase: string, count = ''): void {
    const line = headed(backend, phase);
    if (this.#live)
      this.#out.write(`\r\x1b[2K${`${line} ${count}`.slice(0, (this.#out.columns || 80) - 1)}`);
    else if (line !== this.#last) this.#out.write(`${line}\n`);
    this.#last = line;
  }

  /** Prints an event of a backend; the line stays. */
  note(backend: string, text: string): void {
    this.print(headed(backend, text));
  }

  /** Prints lines that stay. */
  print(text: string): void {
    if (this.#live) this.#out.write('\r\x1b[2K');
    this.#out.write(`${text}\n`);
    this.#last = '';
  }

  color(style: 'green' | 'red' | 'bold', text: string): string {
    return this.#live && process.env['NO_COLOR'] === undefined ? styleText(style, text) : text;
  }
}

function headed(backend: string, text: string): string {
  return `${backend.padEnd(6)} ${text}`;
}

/** Returns the first digits of a node id, which are enough for people to compare. */
export function brief(nodeId: string): string {
  return nodeId.slice(0, 8);
}

/**
 * Formats rows in columns as wide as their widest cell. The first and the last column are
 * left-aligned, numbers are right-aligned.
 */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const last = widths.length - 1;
  return rows.map((row) =>
    row
      .map((cell, i) =>
        i === 0 ? cell.padEnd(widths[i]!) : i === last ? cell : cell.padStart(widths[i]!),
      )
      .join('  ')
      .trimEnd(),
  );
}
