// The health of a node, as a color and a word.

import type { Health } from '../../model/graph.ts';
import { html } from '../html.ts';

export function HealthMark({ health }: { readonly health: Health }) {
  return html`<span class=${`health ${health}`}>
    <i class="dot" aria-hidden="true"></i>${health}
  </span>`;
}
