// Finds comments that begin with a word such as "What" or "Who". Such a comment describes an item
// without naming it, so a reader has to decipher it. Used by check.mjs.

/** Words that no comment should begin with. */
const RIDDLES = /^(What|Who|Whoever|Whose|Of|There|One that|It|Else)\b/;

/**
 * Returns the comments of a source text: `{ line, text }` for each, where `text` is its first line.
 * Consecutive `//` lines are one comment.
 */
export function commentsOf(source) {
  const lines = source.split('\n');
  const found = [];
  let follows = false;
  for (const [i, line] of lines.entries()) {
    const [, block] = /^\s*\/\*\*?\s*(.*)$/.exec(line) ?? [];
    const [, whole] = /^\s*\/\/\s?(.*)$/.exec(line) ?? [];
    const [, trailing] = whole === undefined ? (/[;,{})\]]\s+\/\/\s(.*)$/.exec(line) ?? []) : [];
    const first = block === '' ? (/^\s*\*\s*(.*)$/.exec(lines[i + 1] ?? '')?.[1] ?? '') : block;
    const text = first ?? (follows ? undefined : whole) ?? trailing;
    if (text) found.push({ line: i + 1, text });
    follows = whole !== undefined;
  }
  return found;
}

/** Does a comment begin with one of the words? */
export function isRiddle(text) {
  return RIDDLES.test(text.replace(/^\(/, ''));
}
