// The file of a recording, for tools. It is written if the environment requests it.

import { brokenSearch, type ExploreFailure } from './failure.ts';
import { environment, writeTextFile } from './runtime.ts';

/**
 * Writes the recording of the first failure as JSON to the file that the environment variable
 * RECORD names, if it is set.
 *
 * @throws Error that names the file if it cannot be written.
 */
export function saveRecording(failed: readonly ExploreFailure[]): void {
  const path = environment('RECORD');
  const recording = failed.find((failure) => failure.recording !== undefined)?.recording;
  if (path === undefined || path === '' || recording === undefined) return;
  try {
    writeTextFile(path, `${JSON.stringify(recording)}\n`);
  } catch (error) {
    throw brokenSearch(`RECORD names the file '${path}', which cannot be written`, error);
  }
}
