// The parts of Node that observe all code of a process, for one life of a node: diagnostics
// channels and async hooks.

import asyncHooks from 'node:async_hooks';
import diagnostics, { type Channel } from 'node:diagnostics_channel';
import type { EventLoop } from '../kernel/event-loop.ts';

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

/** Creates the members of `node:async_hooks` of a node, whose hooks end with the simulation. */
export function virtualHooks({ endings }: EventLoop): Record<string, unknown> {
  return {
    createHook(callbacks: asyncHooks.HookCallbacks) {
      const hook = asyncHooks.createHook(callbacks);
      endings.push(() => {
        hook.disable();
        return [];
      });
      return hook;
    },
  };
}
