// Translates positions in compiled files into those of their sources. With source maps switched on,
// Node would read the map of every file that it loads.

import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { root } from './workspace.mjs';

const maps = new Map();

/**
 * Returns the source of a position in a compiled file, as `{ file, line, column }`: the file is
 * relative to the root, and both positions count from 0. Undefined if it is not known.
 */
export function sourceAt(path, line, column) {
  if (!maps.has(path) && existsSync(`${path}.map`))
    maps.set(path, new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8'))));
  const entry = maps.get(path)?.findEntry(line, column);
  if (entry?.originalSource === undefined) return undefined;
  const file = relative(root, join(dirname(path), entry.originalSource));
  return { file, line: entry.originalLine, column: entry.originalColumn };
}

/** Replaces each position such as `/path/dist/file.js:1:2` in a text by that in the source. */
export function withSourceLines(text) {
  const position = /(?:file:\/\/)?(\/[^\s()]*\/dist\/[^\s()]+\.js):(\d+):(\d+)/g;
  return text.replace(position, (whole, path, line, column) => {
    const at = sourceAt(path, line - 1, column - 1);
    return at === undefined ? whole : `${at.file}:${at.line + 1}:${at.column + 1}`;
  });
}
