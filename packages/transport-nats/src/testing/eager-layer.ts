// A layer whose connections reach the acceptor before they carry data of the test, as the suite of
// stream layers expects: one byte, which the accepting end drops, travels with the confirmation. So
// the listener does not screen the first bytes.

import type { StreamConnection, StreamLayer, StreamSink } from '@trunkline/transport-core/backend';

export function eager(layer: StreamLayer): StreamLayer {
  return bound(layer, {
    listen: (accept, failed, options) =>
      layer.listen(
        (connection) => accept(withoutFirst(connection)),
        failed,
        options && { ...options, screen: undefined },
      ),
    dial: async (address, options) => {
      const connection = await layer.dial(address, options);
      connection.write(new Uint8Array(1));
      return connection;
    },
  });
}

function withoutFirst(connection: StreamConnection): StreamConnection {
  return bound(connection, {
    attach: (sink) => {
      let isFirst = true;
      connection.attach(
        bound<StreamSink>(sink, {
          data: (chunk) => {
            const rest = isFirst ? chunk.subarray(1) : chunk;
            const isNothing = isFirst && rest.length === 0;
            isFirst = false;
            return isNothing || sink.data(rest);
          },
        }),
      );
    },
  });
}

/** Returns `object` with some members replaced, also by assignments. */
function bound<T extends object>(object: T, members: Partial<T>): T {
  const own = { ...members };
  return new Proxy(object, {
    get: (_target, name) => {
      if (name in own) return own[name as keyof T];
      const value = Reflect.get(object, name, object);
      return typeof value === 'function' ? value.bind(object) : value;
    },
    set: (_target, name, value) => Reflect.set(own, name, value),
  });
}
