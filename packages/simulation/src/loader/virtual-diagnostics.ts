// The module `node:diagnostics_channel` of one life of a node.

import diagnostics, { type Channel } from 'node:diagnostics_channel';

/** Creates the members of `node:diagnostics_channel` of a node, whose channels are its own. */
export function virtualChannels(): Record<string, unknown> {
  const channels = new Map<unknown, Channel>();
  const channel = (name: string | symbol): Channel => {
    let made = channels.get(name);
    if (made === undefined) {
      // A symbol keeps it apart from the channel of the process that has this name.
      made = diagnostics.channel(Symbol(String(name)));
      channels.set(name, Object.assign(made, { name }));
    }
    return made;
  };
  const group =
    (create: ((channels: object) => unknown) | undefined, events: readonly string[]) =>
    (name: string | object) =>
      create!(
        typeof name === 'string'
          ? Object.fromEntries(events.map((each) => [each, channel(`tracing:${name}:${each}`)]))
          : name,
      );
  const { tracingChannel, boundedChannel } = diagnostics as Record<string, any>;
  return {
    channel,
    hasSubscribers: (name: string) => channel(name).hasSubscribers,
    subscribe: (name: string, listener: never) => channel(name).subscribe(listener),
    unsubscribe: (name: string, listener: never) => channel(name).unsubscribe(listener),
    tracingChannel: group(tracingChannel, ['start', 'end', 'asyncStart', 'asyncEnd', 'error']),
    ...(boundedChannel && { boundedChannel: group(boundedChannel, ['start', 'end']) }),
  };
}
