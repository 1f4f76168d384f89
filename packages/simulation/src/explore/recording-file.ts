// The file of a recording, for tools and readers. It is written if the environment requests it.

import { eventLine } from '../kernel/trace.ts';
import { brokenSearch, type ExploreFailure } from './failure.ts';
import { environment, fileTime, processStart, writeTextFile } from './runtime.ts';

/**
 * Writes the recording of the first failure to the file that the environment variable RECORD
 * names, if it is set: as text if the name ends in '.txt', otherwise as JSON. If another search of
 * this process has written that file, the name of the search is added to the name of the file.
 *
 * @throws Error that names the file if it cannot be written.
 */
export function saveRecording(search: string, failed: readonly ExploreFailure[]): void {
  const given = environment('RECORD');
  const failure = failed.find(({ recording }) => recording !== undefined);
  if (given === undefined || given === '' || failure === undefined) return;
  try {
    const path = isOfAnother(given, search) ? withName(given, search) : given;
    const text = path.endsWith('.txt') ? textOf(failure) : JSON.stringify(failure.recording);
    writeTextFile(path, `${text}\n`);
    owners.set(path, search);
  } catch (error) {
    throw brokenSearch(`RECORD names the file '${given}', which cannot be written`, error);
  }
}

/** The searches of this thread that have written a file, by its path. */
const owners = new Map<string, string>();

/** Returns whether another search of this process, also of another thread, has written a file. */
function isOfAnother(path: string, search: string): boolean {
  const time = fileTime(path);
  if (time === undefined) return false;
  return owners.has(path) ? owners.get(path) !== search : time > processStart();
}

/** Returns 'failure-pay.json' for 'failure.json' and 'pay'. */
function withName(path: string, search: string): string {
  const [extension] = /(?:\.\w+)?$/.exec(path)!;
  const stem = path.slice(0, path.length - extension.length);
  return `${stem}-${search.replaceAll(/[^\w.-]/g, '-')}${extension}`;
}

/** Returns all recorded events of a failure, one a line, and its error. */
function textOf({ recording, error }: ExploreFailure): string {
  const { events, dropped } = recording!;
  const head =
    dropped > 0 ? [`${dropped} earlier events are missing: raise the option record`] : [];
  return [...head, ...events.map(eventLine), '', error.message].join('\n');
}
