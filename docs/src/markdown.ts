// Reads parts of a Markdown file for the tests: code blocks with the comments above them, tables,
// and links.

/** A fenced block. */
export interface Block {
  /** The word after the opening fence: 'ts', 'sh', 'text'; '' if there is none. */
  readonly language: string;
  readonly code: string;
  /** The text of the HTML comment on the line above the fence; undefined if there is none. */
  readonly note: string | undefined;
  /** The line number of the opening fence, from 1. */
  readonly line: number;
}

/** Returns all fenced blocks, in order. */
export function blocksOf(text: string): Block[] {
  const lines = text.split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    const fence = /^```(\S*)/.exec(lines[at]!);
    if (fence === null) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`the fence of line ${at + 1} is never closed`);
    const note = /^<!-- (.*) -->$/.exec(lines[at - 1] ?? '')?.[1];
    blocks.push({
      language: fence[1]!,
      code: `${lines.slice(at + 1, end).join('\n')}\n`,
      note,
      line: at + 1,
    });
    at = end;
  }
  return blocks;
}

/**
 * Returns the rows of the first table below a heading, without head and rule; cells are trimmed.
 */
export function tableBelow(text: string, heading: string): string[][] {
  const lines = text.split('\n');
  const start = lines.findIndex(
    (line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading,
  );
  if (start < 0) throw new Error(`there is no heading '${heading}'`);
  const first = lines.findIndex((line, i) => i > start && line.startsWith('|'));
  const rows: string[][] = [];
  for (let at = first + 2; lines[at]?.startsWith('|'); at++) {
    rows.push(
      lines[at]!.split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  }
  return rows;
}

/** Returns the targets of all links outside of code. */
export function linksOf(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map((match) => match[1]!);
}

/** Returns the anchors that GitHub gives to the headings. */
export function anchorsOf(text: string): string[] {
  const headings = text.replace(/^```[\s\S]*?^```$/gm, '').match(/^#+ .*$/gm) ?? [];
  return headings.map((heading) =>
    heading
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}

/** Tells whether `part` is a run of whole lines of `whole`, regardless of indentation. */
export function isExcerpt(part: string, whole: string): boolean {
  const wanted = trimEach(part);
  const lines = trimEach(whole);
  return lines.some((_, at) => wanted.every((line, i) => lines[at + i] === line));
}

function trimEach(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.trim());
}
