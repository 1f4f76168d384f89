// Asks for the token if the page's address contained no token, or a wrong one.

import { html } from './html.ts';
import type { Session } from './session.ts';

export function TokenForm({ session }: { readonly session: Session }) {
  const submit = (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const token = String(new FormData(form).get('token') ?? '').trim();
    session.open(token);
    location.hash = '#/network';
  };
  return html`<main class="gate">
    <h1>Trunkline</h1>
    <p role="alert">${session.status.text}</p>
    <form onSubmit=${submit}>
      <label>Token <input name="token" type="password" autocomplete="off" required /></label>
      <button type="submit">Open</button>
    </form>
  </main>`;
}
