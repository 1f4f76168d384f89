// The settings of VitePress. The pages are in ../.pages, where main.mjs writes them.

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { linkTo, sections, titleOf } from '../pages.mjs';

const items = (paths) => paths.map((path) => ({ text: titleOf(path), link: linkTo(path) }));

export default defineConfig({
  srcDir: '.pages',
  outDir: 'dist',
  cacheDir: '.cache',
  base: process.env.DOCS_BASE ?? '/',
  lang: 'en-US',
  title: 'Trunkline',
  description:
    'Typed remote calls between your own processes, over TCP, WebSocket, TLS, Noise, WebRTC, NATS or plain memory.',
  markdown: {
    html: false, // A tag in a text is text.
    anchor: { slugify },
    // Braces at the end of a paragraph are text, not attributes.
    attrs: { disable: true },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config(md) {
      // A text that has {{ }} is no template of Vue.
      const { escapeHtml } = md.utils;
      md.renderer.rules.text = (tokens, at) =>
        escapeHtml(tokens[at].content).replaceAll('{{', '&#123;&#123;');
      // Code blocks and tables scroll sideways, so they must be reachable with the keyboard.
      md.core.ruler.push('empty_headers', emptyHeaders);
      md.renderer.rules.table_open = () => '<table tabindex="0">\n';
    },
  },
  vite: {
    resolve: {
      // The theme has no option for this; only its own import has this form.
      alias: [{ find: /^\.\/VPHome\.vue$/, replacement: local('theme/home.mjs') }],
    },
  },
  themeConfig: {
    nav: [
      ...Object.entries(sections).map(([text, groups]) => ({
        text,
        link: linkTo(Object.values(groups)[0][0]),
      })),
      { text: 'API', link: '/api/' },
      { text: 'Changelog', link: '/changelog' },
    ],
    sidebar: Object.entries(sections).map(([text, groups]) => ({
      text,
      collapsed: text !== 'Start',
      items:
        Object.keys(groups).length === 1
          ? items(Object.values(groups)[0])
          : Object.entries(groups).map(([text, paths]) => ({ text, items: items(paths) })),
    })),
    outline: [2, 3],
    search: { provider: 'local' },
    notFound: {
      title: 'Page not found',
      quote: 'No page of this site has this address.',
      linkText: 'Go to the home page',
      linkLabel: 'Go to the home page',
    },
    docFooter: { prev: 'Previous page', next: 'Next page' },
  },
});

function local(path) {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** Returns the anchor that GitHub gives to a heading, so that links work there, too. */
function slugify(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

/** Makes an empty header of a table a plain cell, because a screen reader would announce it. */
function emptyHeaders({ tokens }) {
  for (const [at, token] of tokens.entries()) {
    const content = token.type === 'th_open' ? tokens[at + 1] : tokens[at - 1];
    if (/^th_(open|close)$/.test(token.type) && content.content === '') token.tag = 'td';
  }
}
