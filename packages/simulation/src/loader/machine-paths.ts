// The paths of loaded files, as the machine writes them and as loaded code sees them. A node follows
// POSIX on every machine: there, `C:\app\main.js` is `/C:/app/main.js`, and `\\server\share\main.js`
// is `/server/share/main.js`.

import { posix, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * Returns the path of a file on the machine, from its URL or an absolute path in any form. Drive
 * letters become uppercase, so a file has one path. `windows` tells which rules the machine follows.
 */
export function machinePath(from: string | URL, windows = WINDOWS): string {
  const url = from instanceof URL || from.startsWith('file:') ? new URL(from) : undefined;
  const path = url && fileURLToPath(url, { windows: windows && url.host !== '' });
  if (!windows) return path ?? String(from);
  return (path ?? String(from))
    .replaceAll('/', '\\')
    .replace(/^\\(?=[a-z]:)/i, '')
    .replace(/^[a-z](?=:)/, (letter) => letter.toUpperCase())
    .replace(/^\\(?!\\)/, '\\\\');
}

/** Returns a path of the machine as loaded code sees it, with its folder and its URL. */
export function seenPath(
  file: string,
  windows = WINDOWS,
): { readonly filename: string; readonly dirname: string; readonly url: string } {
  const filename = windows ? file.replaceAll('\\', '/').replace(/^\/*/, '/') : file;
  const { href: url } = pathToFileURL(filename, { windows: false });
  return { filename, dirname: posix.dirname(filename), url };
}

/** Returns a specifier of `import` in which an absolute path, in any form, is a URL. */
export function importable(specifier: string, windows = WINDOWS): string {
  if (!windows || !/^(?:[a-z]:[\\/]|[\\/]|file:)/i.test(specifier)) return specifier;
  return pathToFileURL(machinePath(specifier, true), { windows: true }).href;
}

const WINDOWS = sep === '\\';
