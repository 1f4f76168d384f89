// Public API of @trunkline/replay: shows a recorded simulation as one HTML page.
export { parseRecording } from './parse-recording.ts';
export { replayPage } from './replay-page.ts';
export { replayText } from './replay-text.ts';
