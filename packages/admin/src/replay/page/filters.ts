// The filter: which nodes and which method are shown.

import type { Filter, Run } from '../model/run.ts';
import { type Html, html } from './html.ts';

/** Shows the controls of the filter. */
export function filters(run: Run, filter: Filter, set: (filter: Filter) => void): Html {
  const { hidden, method } = filter;
  const toggle = (name: string, isShown: boolean) => {
    const others = new Set(hidden);
    if (isShown) others.delete(name);
    else others.add(name);
    set({ ...filter, hidden: others });
  };
  const onMethod = (event: Event) =>
    set({ ...filter, method: (event.currentTarget as HTMLSelectElement).value });
  return html`
    <div class="filters">
      <label>
        Method
        <select value=${method} onChange=${onMethod}>
          <option value="">all</option>
          ${run.methods.map((each) => html`<option value=${each}>${each}</option>`)}
        </select>
      </label>
      <details>
        <summary>Nodes (${run.lanes.length - hidden.size} of ${run.lanes.length})</summary>
        <fieldset>
          <legend>Nodes to show</legend>
          ${run.lanes.map(
            ({ name }) => html`
              <label>
                <input
                  type="checkbox"
                  checked=${!hidden.has(name)}
                  onChange=${(event: Event) => toggle(name, (event.currentTarget as HTMLInputElement).checked)}
                />
                ${name}
              </label>
            `,
          )}
        </fieldset>
      </details>
    </div>
  `;
}
