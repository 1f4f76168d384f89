// The start of the page: reads the recording in it, and shows it.

import type { Recording } from '@trunkline/simulation';
import { render } from 'preact';
import { createRun } from '../model/run.ts';
import { html } from './html.ts';
import { Viewer } from './viewer.ts';

const recording: Recording = JSON.parse(document.getElementById('recording')?.textContent ?? '');
const run = createRun(recording);
render(html`<${Viewer} run=${run} />` as never, document.getElementById('app')!);
