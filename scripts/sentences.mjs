// Draws sentences at random from the README, the pages of the site and the doc comments, so that a
// reader can judge how the project writes. The same seed draws the same sentences from the same
// texts.
//
//   node scripts/sentences.mjs [seed] [count]    1 and 100 by default

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compose } from '../docs/site/compose.mjs';
import { filesBelow, published, root } from './workspace.mjs';

const [seed = '1', count = '100'] = process.argv.slice(2);
const all = [...fromPages(), ...fromComments()];
const random = randomFrom(Number(seed));
for (let drawn = 1; drawn <= Number(count) && all.length > 0; drawn++) {
  const [{ text, where }] = all.splice(Math.floor(random() * all.length), 1);
  console.log(`${drawn}. ${text}\n   ${where}`);
}
console.log(`${count} of ${all.length + Number(count)} sentences, seed ${seed}`);

/** Returns the sentences of the README and of all pages. */
function fromPages() {
  const texts = [['README.md', readFileSync(join(root, 'README.md'), 'utf8')], ...compose().pages];
  return texts.flatMap(([where, text]) =>
    sentencesOf(proseOf(text)).map((sentence) => ({ text: sentence, where })),
  );
}

/** Returns the sentences of the doc comments in the published packages. */
function fromComments() {
  return published.flatMap((folder) =>
    filesBelow(join(root, folder, 'src'))
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .flatMap((name) => {
        const where = join(folder, 'src', name);
        const source = readFileSync(join(root, where), 'utf8');
        return [...source.matchAll(/\/\*\*([\s\S]*?)\*\//g)].flatMap(([, comment]) =>
          sentencesOf(comment.replace(/^\s*\* ?/gm, '')).map((text) => ({ text, where })),
        );
      }),
  );
}

/** Removes code blocks, headings, tables' rules and the head of a page. */
function proseOf(text) {
  return text
    .replace(/^---\n[\s\S]*?\n---\n/, '')
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/^(#+ .*|\|[-:| ]+\|)$/gm, '')
    .replace(/^\|(.*)\|$/gm, (_, row) => `\n${row.split(/(?<!\\)\|/).join('\n\n')}\n`);
}

/** Splits a text into sentences of at least five words. */
function sentencesOf(text) {
  return text
    .split(/\n\s*\n|^\s*(?:[-*]|\d+\.)\s+|^@\w+ /m)
    .flatMap((paragraph) =>
      paragraph
        .replace(/\s+/g, ' ')
        .trim()
        .split(/(?<=[.!?]\)?) (?=[A-Z`*[])/),
    )
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence.split(' ').length >= 5);
}

/** Returns numbers in [0, 1) that depend on the seed alone: mulberry32. */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
