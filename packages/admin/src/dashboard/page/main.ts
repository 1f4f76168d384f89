// The page: takes the token from its address, connects, and shows the application.

import './no-eval.ts';
import './trusted-urls.ts';
import { render } from 'preact';
import { App } from './app.ts';
import { html } from './html.ts';
import { Session, VIEWS } from './session.ts';

const root = document.getElementById('app')!;
const session = new Session(
  `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/feed`,
  draw,
);
let isDue = false;

addEventListener('hashchange', route);
session.open(takeToken());
route();

/** Draws once before the next frame, however often the state has changed. */
function draw(): void {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    render(html`<${App} session=${session} />` as never, root);
  });
}

/** Shows the view that the address names. Each entry of the browser's history keeps the token. */
function route(): void {
  history.replaceState({ token: session.token }, '');
  const name = location.hash.slice(2);
  const view = VIEWS.find((each) => each === name);
  if (view !== undefined) session.show(view);
}

/**
 * Returns the token in the page's address, and removes it from the address, so that it does not
 * appear in screenshots and bookmarks. The state of the history entry keeps the token for a reload.
 */
function takeToken(): string {
  const given = /^#token=(.*)$/.exec(location.hash)?.[1];
  const { token = '' } = (history.state ?? {}) as { readonly token?: string };
  const result = given === undefined ? token : decodeURIComponent(given);
  history.replaceState({ token: result }, '', given === undefined ? location.href : '#/network');
  return result;
}
