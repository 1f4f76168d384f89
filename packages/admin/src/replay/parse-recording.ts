// The check of a recording that comes from a file.

import type { Recording } from '@trunkline/simulation';
import * as z from 'zod/mini';

/**
 * Parses the JSON of a recording, as `explore` writes it to the file that RECORD names.
 *
 * @throws TypeError if the text is no recording of version 1; it names the first wrong property.
 */
export function parseRecording(text: string): Recording {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TypeError(`this is no recording: it is not JSON: ${(error as Error).message}`);
  }
  return checkRecording(value);
}

/**
 * Returns the value if it is a recording.
 *
 * @throws TypeError as {@link parseRecording} does.
 */
export function checkRecording(value: unknown): Recording {
  const head = Head.safeParse(value);
  if (!head.success)
    throw new TypeError(
      "this is no recording: expected an object with the format 'trunkline-recording', as explore writes it to the file that RECORD names",
    );
  if (head.data.version !== 1)
    throw new TypeError(
      `this recording has version ${head.data.version}, and this program reads version 1: use the replay of the release that made it`,
    );
  const { success, data, error } = Version1.safeParse(value, { error: english });
  if (success) return data;
  const { path, message } = error.issues[0]!;
  throw new TypeError(`this recording is damaged: ${path.join('.')}: ${message}`);
}

/** The texts of errors, which zod/mini leaves out. */
const english = z.locales.en().localeError;

const Head = z.object({ format: z.literal('trunkline-recording'), version: z.number() });

const name = z.string();
const time = z.number().check(z.nonnegative());
const count = z.int().check(z.nonnegative());
const text = z.optional(z.string());

const RecordedEvent = z.object({
  event: z.optional(count),
  at: time,
  kind: z.string(),
  from: text,
  to: text,
  what: text,
  size: z.optional(count),
  text,
  sent: z.optional(count),
  call: z.optional(count),
});

const NodeReport = z.object({
  name,
  kind: z.enum(['node', 'client']),
  up: z.boolean(),
  state: text,
  log: z.array(z.object({ at: time, text: z.string() })),
  calls: z.array(z.object({ method: z.string(), to: name, since: time })),
  waits: z.array(z.string()),
  disk: z.array(z.object({ key: z.string(), size: count, value: z.string(), synced: z.boolean() })),
  moreOnDisk: count,
  unsynced: count,
});

const Operation = z.object({
  client: name,
  text: z.string(),
  from: z.optional(time),
  to: z.optional(time),
  culprit: z.boolean(),
});

/** All members of Recording (@trunkline/simulation); members that are missing here are dropped. */
const Version1 = z.object({
  format: z.literal('trunkline-recording'),
  version: z.literal(1),
  seed: z.int(),
  level: z.enum(['message', 'stream']),
  hash: z.string(),
  failure: z.optional(
    z.object({
      rule: text,
      message: z.string(),
      text,
      at: time,
      operations: z.optional(z.array(Operation)),
    }),
  ),
  search: z.optional(
    z.object({
      scenario: z.string(),
      profile: text,
      schedule: z.array(z.object({ at: time, fault: z.string() })),
      faults: count,
      replay: z.string(),
    }),
  ),
  events: z.array(RecordedEvent),
  dropped: count,
  start: z.array(z.object({ name, up: z.boolean(), state: text })),
  nodes: z.array(NodeReport),
  at: time,
});
