// Public API of @trunkline/admin/replay: shows a recorded simulation as one HTML page.
export { parseRecording } from './replay/parse-recording.ts';
export { replayPage } from './replay/replay-page.ts';
export { replayText } from './replay/replay-text.ts';
