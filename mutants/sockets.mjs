// Mutants of transport-tcp and transport-ws; see main.mjs.

export const sockets = [
  {
    rule: 'A connection that broke before the other end closed it reports an error.',
    file: 'packages/transport-tcp/src/tcp-connection.ts',
    from: "const isExpected = phase.name === 'ending' ? phase.isMutual : phase.name === 'destroyed';",
    to: "const isExpected = phase.name === 'ending' || phase.name === 'destroyed';",
    killer: {
      package: 'transport-tcp',
      file: 'packages/transport-tcp/src/tcp-stream-layer.test.ts',
      title:
        'a peer that never ends is given one second after the end of this side, and then disconnected',
    },
  },
  {
    rule: 'The other end can distinguish an aborted stream from one that has ended.',
    file: 'packages/transport-tcp/src/tcp-connection.ts',
    from: 'if (this.#secured === undefined) this.#socket.resetAndDestroy();',
    to: 'if (this.#secured === undefined) this.#socket.destroy();',
    killer: {
      package: 'transport-tcp',
      file: 'packages/transport-tcp/src/stream-layer.test.ts',
      title: 'tcp over IPv6: destroy ends at once: the other end reports closed with reset',
    },
  },
  {
    rule: 'A sink that keeps its chunks finds them unchanged after the next read.',
    file: 'packages/transport-tcp/src/tcp-connection.ts',
    from: 'else this.#data(chunk.slice());',
    to: 'else this.#data(chunk);',
    killer: {
      package: 'transport-tcp',
      file: 'packages/transport-tcp/src/stream-layer.test.ts',
      title: 'tcp: a thousand chunks of many sizes arrive in order at the dialer',
    },
  },
  {
    rule: 'A writer that was told to wait is told when it may continue.',
    file: 'packages/transport-tcp/src/tcp-connection.ts',
    from: 'this.#waiting = this.#socket.writableLength > 0;',
    to: 'this.#waiting = this.#socket.writableLength > HELD;',
    killer: {
      package: 'transport-tcp',
      file: 'packages/transport-tcp/src/stream-layer.test.ts',
      title: 'tcp over IPv6: the acceptor may reuse memory at once after write returned true',
    },
  },
  {
    rule: 'A paused connection hands out no more chunks.',
    file: 'packages/transport-tcp/src/tcp-connection.ts',
    from: 'this.#paused = true;',
    to: '',
    killer: {
      package: 'transport-tcp',
      file: 'packages/transport-tcp/src/stream-layer.test.ts',
      title: 'tcp: back-pressure applies to writes of the acceptor, too',
    },
  },
  {
    rule: 'A message of 126 bytes has a header with an extended length.',
    file: 'packages/transport-ws/src/message-frames.ts',
    from: 'if (length < 126) {',
    to: 'if (length <= 126) {',
    killer: {
      package: 'transport-ws',
      file: 'packages/transport-ws/src/message-frames.test.ts',
      title: 'a masked message of 126 bytes is decoded as it was encoded',
    },
  },
  {
    rule: 'A masked message is read correctly, no matter how it is cut into chunks.',
    file: 'packages/transport-ws/src/unmasker.ts',
    from: 'turnedBytes[i] = keyBytes[(i + end - from) & 3]!;',
    to: 'turnedBytes[i] = keyBytes[i & 3]!;',
    killer: {
      package: 'transport-ws',
      file: 'packages/transport-ws/src/unmasker.test.ts',
      title: 'masks are removed, however the frames are cut, without changing the original bytes',
    },
  },
  {
    rule: 'A page from an origin that is not listed cannot connect.',
    file: 'packages/transport-ws/src/admission.ts',
    from: 'origins.includes(origin) ||',
    to: 'origins.some((each) => origin.startsWith(each)) ||',
    killer: {
      package: 'transport-ws',
      file: 'packages/transport-ws/src/upgrades.test.ts',
      title:
        'with a list of origins, the connection of a page of another origin is refused, and clients that are not pages are accepted',
    },
  },
  {
    rule: 'With `upgrade`, a page of another port of the same host cannot connect.',
    file: 'packages/transport-ws/src/admission.ts',
    from: 'return new URL(origin).host === ',
    to: 'return new URL(origin).hostname === ',
    killer: {
      package: 'transport-ws',
      file: 'packages/transport-ws/src/upgrade-hook.test.ts',
      title: 'with upgrade, only pages of the same host may connect, unless origins says otherwise',
    },
  },
  {
    rule: 'With `upgrade`, a page without TLS cannot connect through TLS at a proxy.',
    file: 'packages/transport-ws/src/admission.ts',
    from: '/^\\s*https/i.test(',
    to: '/^never/i.test(',
    killer: {
      package: 'transport-ws',
      file: 'packages/transport-ws/src/upgrade-hook.test.ts',
      title: 'with upgrade, only pages of the same host may connect, unless origins says otherwise',
    },
  },
  {
    rule: 'A page cannot connect after its host name was rebound to this machine.',
    file: 'packages/transport-ws/src/hosts.ts',
    from: '(names.has(named) || (hosts === undefined && isLoopback(named)))',
    to: '(names.has(named) || hosts === undefined)',
    killer: {
      package: 'transport-ws',
      file: 'packages/transport-ws/src/upgrades.test.ts',
      title:
        'on a loopback address an upgrade for another host gets 403, like that of a page whose name was rebound',
    },
  },
  {
    rule: 'A chunk that a sink still uses is not freed.',
    file: 'packages/transport-ws/src/spent-chunks.ts',
    from: 'for (const chunk of this.#spent) if (chunk.buffer !== data.buffer) freeChunk(chunk);',
    to: 'for (const chunk of this.#spent) freeChunk(chunk);',
    killer: {
      package: 'transport-ws',
      file: 'packages/transport-ws/src/spent-chunks.test.ts',
      title: 'a chunk is not freed if a message, a ping or a fragment in it was not copied',
    },
  },
  {
    rule: 'A network that became slow gets a lower write limit.',
    file: 'packages/transport-ws/src/write-limit.ts',
    from: 'else if (took > SLOW) this.#high',
    to: 'else if (took < SLOW) this.#high',
    killer: {
      package: 'transport-ws',
      file: 'packages/transport-ws/src/write-limit.test.ts',
      title: 'on a slow network, fewer may wait, but at least 64 KiB',
    },
  },
];
