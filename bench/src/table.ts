// Formats lines of cells as text.

/**
 * Pads the cells of each column to the same width: the first `texts` columns are left-aligned,
 * figures right-aligned.
 */
export function alignTable(lines: readonly (readonly string[])[], texts: number): string {
  const widths = lines[0]!.map((_, at) => Math.max(...lines.map((line) => line[at]!.length)));
  return lines
    .map((line) =>
      line
        .map((text, at) => (at < texts ? text.padEnd(widths[at]!) : text.padStart(widths[at]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Formats a number with three digits, because noise affects the rest. */
export function round3(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US');
}

/** Formats lines of Markdown: the first `texts` columns are left-aligned, figures right-aligned. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  texts: number,
): string[] {
  return [
    `| ${head.join(' | ')} |`,
    `|${head.map((_, at) => (at < texts ? '---' : '---:')).join('|')}|`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ];
}
