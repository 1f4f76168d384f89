// Chooses the recording to show: the one in the page, or one from a file that the user opens.

import type { Recording } from '@trunkline/simulation';
import { useMemo, useState } from 'preact/hooks';
import { createRun } from '../model/run.ts';
import { parseRecording } from '../parse-recording.ts';
import { type Html, html } from './html.ts';
import { Viewer } from './viewer.ts';

/** Shows the viewer, or a field for a file if there is no recording yet. */
export function Opener({ given }: { readonly given: Recording | undefined }): Html {
  const [recording, setRecording] = useState(given);
  const [problem, setProblem] = useState('');
  const run = useMemo(() => recording && createRun(recording), [recording]);
  if (run !== undefined) return html`<${Viewer} run=${run} />`;
  const open = async (event: Event) => {
    const [file] = (event.currentTarget as HTMLInputElement).files ?? [];
    if (file === undefined) return;
    try {
      setRecording(parseRecording(await file.text()));
    } catch (error) {
      setProblem(`${file.name}: ${(error as Error).message}`);
    }
  };
  return html`
    <header><h1>Replay</h1></header>
    <main>
      <section class="time">
        <p>
          <label for="file">Open the recording of a simulation, as a search writes it to the file
          that RECORD names: </label>
          <input id="file" type="file" accept=".json,application/json" onChange=${open} />
        </p>
        <p class="failed" role="alert">${problem}</p>
      </section>
    </main>
  `;
}
