// The page of a recording: one HTML file, which needs no server and loads nothing.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Recording } from '@trunkline/simulation';
import { checkRecording } from './parse-recording.ts';

/**
 * Returns the HTML of a page that shows a recording. Without a recording, the page asks for a file.
 * The page's security policy allows only its own script and style, so texts of the recording can't
 * run as code, and the page makes no connections.
 *
 * @throws TypeError naming the first wrong property if the value is no recording, and the error of
 * node:fs if the package was not built.
 */
export function replayPage(recording?: Recording): string {
  const template = readFileSync(new URL('./page.html', import.meta.url), 'utf8');
  const data =
    recording === undefined
      ? ''
      : JSON.stringify(checkRecording(recording)).replaceAll('<', '\\u003c');
  const policy = [
    "default-src 'none'",
    `script-src ${hashesOf(template, 'script')}`,
    `style-src ${hashesOf(template, 'style')}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  // The replacements are functions, because '$' has a meaning in replacement texts.
  return template
    .replace(
      '<meta charset="utf-8" />',
      (meta) => `${meta}\n    <meta http-equiv="Content-Security-Policy" content="${policy}" />`,
    )
    .replace(
      '<div id="app"></div>',
      (app) => `${app}\n    <script type="application/json" id="recording">${data}</script>`,
    );
}

/** Returns the policy sources (hashes) that allow the page's elements of this name. */
function hashesOf(html: string, element: 'script' | 'style'): string {
  const found = html.matchAll(new RegExp(`<${element}[^>]*>([\\s\\S]*?)</${element}>`, 'g'));
  return Array.from(
    found,
    ([, text]) => `'sha256-${createHash('sha256').update(text!).digest('base64')}'`,
  ).join(' ');
}
