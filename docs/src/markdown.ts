// What the tests read out of a Markdown file: its blocks of code with what stands above them, its tables, its links.

/** A fenced block. */
export interface Block {
  /** The word behind the opening fence: 'ts', 'sh', 'text'; '' where there is none. */
  readonly language: string;
  readonly code: string;
  /** The text of the HTML comment on the line above the fence, where there is one. */
  readonly note: string | undefined;
  /** Of the opening fence, from 1. */
  readonly line: number;
}

/** All fenced blocks, in order. */
export function blocksOf(text: string): Block[] {
  const lines = text.split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    const fence = /^```(\S*)/.exec(lines[at]!);
    if (fence === null) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`the fence of line ${at + 1} is never closed`);
    const note = /^<!-- (.*) -->$/.exec(lines[at - 1] ?? '')?.[1];
    blocks.push({ language: fence[1]!, code: `${lines.slice(at + 1, end).join('\n')}\n`, note, line: at + 1 });
    at = end;
  }
  return blocks;
}

/** The rows, head and rule left out, of the first table below a heading; each row's cells, trimmed. */
export function tableBelow(text: string, heading: string): string[][] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
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

/** The targets of all links, outside of code. */
export function linksOf(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map((match) => match[1]!);
}

/** The anchors that GitHub gives to the headings. */
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

/** Is `part` a run of whole lines of `whole`, whatever its indentation there? */
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
