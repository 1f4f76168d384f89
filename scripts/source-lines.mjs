// Translates positions in compiled files into those of their sources, for the output of failed
// tests. With source maps switched on, Node would read the map of every file that a test loads.

import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './workspace.mjs';

/**
 * Replaces each position `/path/dist/file.js:1:2` in a text by that in the source, if it is known.
 */
export function withSourceLines(text) {
  return text.replace(
    /(file:\/\/)?(\/[^\s()]*\/dist\/[^\s()]+\.js):(\d+):(\d+)/g,
    (whole, scheme, file, line, column) => {
      const path = scheme === undefined ? file : fileURLToPath(`file://${file}`);
      const entry = mapOf(path)?.findEntry(Number(line) - 1, Number(column) - 1);
      if (entry?.originalSource === undefined) return whole;
      const source = join(dirname(path), entry.originalSource);
      return `${relative(root, source)}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
    },
  );
}

const maps = new Map();

function mapOf(file) {
  const path = `${file}.map`;
  if (!maps.has(file))
    maps.set(
      file,
      existsSync(path) ? new SourceMap(JSON.parse(readFileSync(path, 'utf8'))) : undefined,
    );
  return maps.get(file);
}
