// Turns a text of the repository into a page of the site: links lead to other pages, or to copies
// of the files that they name, and notes to the tests are removed.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, normalize } from 'node:path';
import { root } from './pages.mjs';

const IMAGES = ['.svg', '.png', '.jpg'];

/**
 * Files that pages link to and that are no pages themselves. `listed` are shown as pages of their
 * own, `copied` are images.
 */
export class Attachments {
  listed = new Set();
  copied = new Set();
}

/**
 * Returns the text with links of the site.
 *
 * @param text a text in Markdown.
 * @param path its path in the repository, to which its links are relative.
 * @param pages the addresses of all pages.
 * @param attachments takes the files that the text links to.
 * @throws Error for a link that leads nowhere.
 */
export function toSite(text, path, pages, attachments) {
  return outsideCode(withoutTags(text), (part) =>
    part
      .replace(/<!--[\s\S]*?-->\n?/g, '')
      .replace(/\]\(([^()\s]+)\)/g, (_, link) => `](${target(link, path, pages, attachments)})`),
  );
}

/** Returns the text with every tag as text, except the few that our texts use. */
export function withoutTags(text) {
  return outsideCode(text, (part) =>
    part.replace(CODE_OR_TAG, (found) => (found === '<' ? '&lt;' : found.replace(/\n\s*/g, ' '))),
  );
}

/**
 * Code in a line, which must not continue on the next one, because VitePress takes a line that begins
 * with `<name>` for a component; or the beginning of a tag that is not one of ours
 * and not escaped by a backslash.
 */
const CODE_OR_TAG =
  /(`+)(?:(?!\n\s*\n)[\s\S])*?\1|(?<!\\)<(?!\/?(?:br|details|summary)\b)(?=[a-z/])/gi;

/** Returns the first heading, the summary below it, and whether a next step ends the text. */
export function partsOf(text) {
  const lines = text
    .replace(/^---\n[\s\S]*?\n---\n/, '')
    .trimStart()
    .split('\n');
  const title = /^# (.+)$/.exec(lines[0] ?? '')?.[1];
  const paragraphs = lines
    .slice(1)
    .join('\n')
    .trim()
    .split(/\n{2,}/);
  const summary = (paragraphs[0] ?? '').split('\n').join(' ').trim();
  const last = (paragraphs.at(-1) ?? '').split('\n').join(' ');
  return { title, summary, next: last.startsWith('**Next:** ') ? last : undefined };
}

/** Returns what a page lacks: a title, a summary of one sentence, a next step with a link. */
export function problemsOf(text) {
  const { title, summary, next } = partsOf(text);
  const problems = [];
  if (title === undefined) problems.push('does not begin with a title (# …)');
  if (!isSentence(summary))
    problems.push(`needs a summary of one sentence below its title, not '${summary}'`);
  if (next === undefined || !/\]\(/.test(next))
    problems.push("must end with a paragraph that begins with '**Next:**' and has a link");
  return problems;
}

/** Tells whether a text is one sentence: nothing but its end looks like the end of a sentence. */
function isSentence(text) {
  const plain = text.replace(/`[^`]*`/g, 'code').replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
  return /^[^|#<!-].*\.$/.test(plain) && plain.length <= 240 && !/[.!?] +[A-Z]/.test(plain);
}

/** Applies a change to the parts of a text that are not code. */
function outsideCode(text, change) {
  return text
    .split(/(^```[\s\S]*?^```$)/m)
    .map((part) => (part.startsWith('```') ? part : change(part)))
    .join('');
}

function target(link, path, pages, attachments) {
  if (link.startsWith('site:')) return link.slice('site:'.length);
  if (/^\w+:/.test(link)) return link;
  const [file = '', anchor] = link.split('#');
  const hash = anchor === undefined ? '' : `#${anchor}`;
  if (file === '') return hash;
  const found = normalize(join(dirname(path), file)).replace(/\/$/, '');
  const page = pages.get(found) ?? pages.get(`${found}/README.md`);
  if (page !== undefined) return `/${page.replace(/(^|\/)index$/, '$1')}${hash}`;
  if (!existsSync(join(root, found))) throw new Error(`${path}: ${link} leads nowhere`);
  if (IMAGES.includes(extname(found))) {
    attachments.copied.add(found);
    return `/files/${found}`;
  }
  attachments.listed.add(found);
  return `/${sourceAddress(found)}`;
}

/** Returns the address of the page that shows a file or a folder of the repository. */
export function sourceAddress(path) {
  return `source/${path.replace(/\./g, '_')}`;
}

/** Returns the page that shows a file, or the names in a folder. */
export function sourcePage(path) {
  const head = `---\nsearch: false\noutline: false\nprev: false\nnext: false\n---\n\n# ${basename(path)}\n\n\`${path}\`\n\n`;
  const full = join(root, path);
  if (statSync(full).isDirectory()) {
    const names = readdirSync(full).filter((name) => !['node_modules', 'dist'].includes(name));
    return `${head}${names.map((name) => `- \`${name}\``).join('\n')}\n`;
  }
  const text = readFileSync(full, 'utf8');
  const fence = '`'.repeat(
    Math.max(3, ...(text.match(/`{3,}/g) ?? []).map((run) => run.length + 1)),
  );
  return `${head}${fence}${LANGUAGES[extname(path)] ?? 'text'}\n${text.trimEnd()}\n${fence}\n`;
}

const LANGUAGES = {
  '.ts': 'ts',
  '.mjs': 'js',
  '.js': 'js',
  '.json': 'json',
  '.md': 'md',
  '.yml': 'yaml',
  '.yaml': 'yaml',
  '.proto': 'proto',
};
