// A view whose failure does not affect the rest of the page.

import type { ComponentType } from 'preact';
import { useErrorBoundary } from 'preact/hooks';
import { html } from '../html.ts';
import type { ViewProperties } from './view.ts';

export interface GuardedViewProperties extends ViewProperties {
  readonly view: ComponentType<ViewProperties>;
}

/** Shows a view, or its error and a button that tries again. */
export function GuardedView({ view, ...properties }: GuardedViewProperties) {
  const [error, retry] = useErrorBoundary();
  if (error === undefined) return html`<${view} ...${properties} />`;
  return html`<section role="alert">
    <p class="error">This view can't be shown: ${String(error?.message ?? error)}</p>
    <button type="button" onClick=${retry}>Try again</button>
  </section>`;
}
