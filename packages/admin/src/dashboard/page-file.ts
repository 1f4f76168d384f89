// The pages as HTML files, which the build creates, and the policies that prevent any other code
// from running.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { replayPage } from '../replay/replay-page.ts';

/** The page and its HTTP headers. */
export interface PageFile {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Loads the page. Rejects if the package was not built. */
export async function loadPage(): Promise<PageFile> {
  const html = await readFile(new URL('./page.html', import.meta.url), 'utf8');
  return { html, headers: headersOf(policyOf(html)) };
}

/**
 * Returns the page that opens recordings of simulations, which contains its own policy. Throws the
 * error of `node:fs` if the package was not built.
 */
export function loadReplay(): PageFile {
  return { html: replayPage(), headers: headersOf("frame-ancestors 'none'") };
}

function headersOf(policy: string): PageFile['headers'] {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-cache',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  };
}

/**
 * Returns a Content Security Policy. It allows only the scripts and styles of the file itself (by
 * their hashes), a worker made of them, and connections to the server that the page came from.
 */
export function policyOf(html: string): string {
  return [
    "default-src 'none'",
    `script-src ${hashesOf(html, 'script')}`,
    `style-src ${hashesOf(html, 'style')}`,
    'worker-src blob:',
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types default',
  ].join('; ');
}

function hashesOf(html: string, element: 'script' | 'style'): string {
  const found = html.matchAll(new RegExp(`<${element}[^>]*>([\\s\\S]*?)</${element}>`, 'g'));
  const hashes = Array.from(
    found,
    ([, text]) => `'sha256-${createHash('sha256').update(text!).digest('base64')}'`,
  );
  return hashes.length === 0 ? "'none'" : hashes.join(' ');
}
