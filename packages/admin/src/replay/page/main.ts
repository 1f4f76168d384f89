// The start of the page: shows the recording in it, or asks for one.

import './no-eval.ts';
import { render } from 'preact';
import { checkRecording } from '../parse-recording.ts';
import { html } from './html.ts';
import { Opener } from './opener.ts';

const given = document.getElementById('recording')?.textContent;
const recording = given ? checkRecording(JSON.parse(given)) : undefined;
render(html`<${Opener} given=${recording} />` as never, document.getElementById('app')!);
