// The options of topics, their readers and their publications, with their defaults and validation.

import { isNodeId, type Options, option, optionsSchema } from '@trunkline/transport-core/backend';
import type { MessageVerdict, QueuePolicy } from '../types.ts';
import { MOST_RECIPIENTS } from '../wire/frame.ts';

const POLICIES: readonly string[] = ['block', 'drop-oldest', 'drop-newest', 'error'];
const queue = () =>
  option.group({
    messages: option.optional(option.integer(1, 1_000_000)),
    bytes: option.optional(option.integer(1, Number.MAX_SAFE_INTEGER)),
    policy: option.optional(
      option.reference<QueuePolicy>(
        (value) => typeof value === 'string' && POLICIES.includes(value),
        "'block', 'drop-oldest', 'drop-newest' or 'error'",
      ),
    ),
  });

/** The schema of the options of a topic. */
export const topicOptions = optionsSchema({
  limit: option.optional(option.integer(1, 63 * 1024 * 1024)),
  publishOnly: option.withDefault(
    option.reference<boolean>((value) => typeof value === 'boolean', 'true or false'),
    false,
  ),
  queue: queue(),
  validate: option.optional(
    option.callback<(message: never, meta: never) => MessageVerdict | Promise<MessageVerdict>>(),
  ),
  validateTimeout: option.withDefault(option.milliseconds(), 1_000),
  validateAtOnce: option.withDefault(option.integer(1, 65_536), 256),
  validateQueue: option.group({
    messages: option.withDefault(option.integer(0, 1_000_000), 4_096),
    bytes: option.withDefault(option.integer(0, 1024 * 1024 * 1024), 16 * 1024 * 1024),
  }),
});

/**
 * The parsed options of a topic, with defaults. If `limit` is absent, the topic uses its default.
 */
export type TopicConfig = Options<typeof topicOptions>;

/** The schema of the options of a loop. */
export const loopOptions = optionsSchema({ queue: queue() });

/** The schema of the options of a reader. */
export const subscribeOptions = optionsSchema({
  queue: queue(),
  onError: option.optional(option.callback<(error: unknown) => void>()),
});

const ids = () =>
  option.optional(
    option.reference<readonly string[]>(
      isIds,
      `a list of at most ${MOST_RECIPIENTS} node ids, each 64 lower-case hex digits`,
    ),
  );
/** The schema of the options for publishing one message. */
export const publishOptions = optionsSchema({
  to: ids(),
  except: ids(),
  any: option.optional(option.integer(1, MOST_RECIPIENTS)),
  min: option.withDefault(option.integer(0, 1_000_000), 0),
  timeout: option.withDefault(option.milliseconds(), 10_000),
});

/** The parsed options for publishing one message, with defaults. */
export type PublishConfig = Options<typeof publishOptions>;

function isIds(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length <= MOST_RECIPIENTS &&
    value.every((id) => typeof id === 'string' && isNodeId(id))
  );
}
