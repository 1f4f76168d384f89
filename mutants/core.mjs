// Mutants of transport-core; see main.mjs.

export const core = [
  {
    rule: 'A frame of exactly the maximum length is accepted.',
    file: 'packages/transport-core/src/wire/decoder.ts',
    from: 'if (length > this.#maxLength)',
    to: 'if (length >= this.#maxLength)',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/wire/decoder.hostile.test.ts',
      title: 'hostile lengths end the connection before any memory is taken',
    },
  },
  {
    rule: 'Memory is allocated for the received bytes of a frame, not for its announced length.',
    file: 'packages/transport-core/src/wire/decoder.ts',
    from: 'body = this.#allocate(Math.min(this.#expected, Math.max(needed * 4, SMALL_BUFFER)));',
    to: 'body = this.#allocate(Math.max(this.#expected, SMALL_BUFFER));',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/wire/decoder.hostile.test.ts',
      title: 'memory is allocated only for received bytes, at most four times as much',
    },
  },
  {
    rule: 'A metadata key such as __proto__ is plain data.',
    file: 'packages/transport-core/src/wire/parse-frame.ts',
    from: 'frame.metadata ??= Object.create(null) as Record<string, string>;',
    to: 'frame.metadata ??= {} as Record<string, string>;',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/wire/decoder.test.ts',
      title: 'metadata may have any keys',
    },
  },
  {
    rule: 'A request whose CANCEL is in the same chunk never starts its handler.',
    file: 'packages/transport-core/src/session/callee/callee.ts',
    from: 'else if (!this.early.holds(call)) this.#calls.incoming(call);',
    to: 'else this.#calls.incoming(call);',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/session/callee/early-cancels.test.ts',
      title: 'a request whose CANCEL is in the same chunk is not delivered, wherever the CANCEL is',
    },
  },
  {
    rule: 'A peer that sends a message without credit violates the protocol.',
    file: 'packages/transport-core/src/session/receive-account.ts',
    from: 'if (this.left <= 0) return false;',
    to: 'if (this.left < 0) return false;',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/session/receive-account.test.ts',
      title: 'exactly 0 is empty',
    },
  },
  {
    rule: 'The window of the pipe never grows above its maximum.',
    file: 'packages/transport-core/src/session/incoming-packets/window.ts',
    from: 'this.#wanted = Math.round(Math.min(Math.max(wanted, this.#least), this.#most));',
    to: 'this.#wanted = Math.round(Math.max(wanted, this.#least));',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/session/incoming-packets/window.test.ts',
      title: 'the window is never above its maximum, nor below its start',
    },
  },
  {
    rule: 'Calls expire in the order of their deadlines, even if other calls are removed in between.',
    file: 'packages/transport-core/src/session/callee/deadlines.ts',
    from: 'if (at > 0 && this.#times[(at - 1) >> 1]! > time) this.#raise(last, time, at);',
    to: 'if (at > 0 && this.#times[at >> 1]! > time) this.#raise(last, time, at);',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/session/callee/deadlines.test.ts',
      title: 'entries leave in order of time, whatever the order of additions and removals',
    },
  },
  {
    rule: 'When a caller gives up, the handler of its call is aborted.',
    file: 'packages/transport-core/src/session/caller/caller.ts',
    from: 'this.#batch.control(Kind.CANCEL, call.id);',
    to: '',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/session/session-pair.test.ts',
      title:
        'when an end leaves in order, accepted messages arrive, open calls are answered, and nothing that waits is lost',
    },
  },
  {
    rule: 'A dial is aborted when no call waits for it anymore.',
    file: 'packages/transport-core/src/stream/pool.ts',
    from: 'if (entry.wanted || entry.connections.length > 0) return;',
    to: 'if (entry.wanted || entry.dialing || entry.connections.length > 0) return;',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/stream/pool.test.ts',
      title: 'when the last waiter leaves, the dial is aborted',
    },
  },
  {
    rule: 'A call that stops waiting for a connection releases its memory.',
    file: 'packages/transport-core/src/stream/pool-entry.ts',
    from: 'if (this.#waiting.remove(call)) this.#pool.host.memory.hold(-call.cost);',
    to: 'this.#waiting.remove(call);',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/stream/pool.test.ts',
      title:
        'messages that wait for a dial count in the gauge until they are sent, fail or are given up; those above the limit are refused',
    },
  },
  {
    rule: 'A busy server takes the next call as soon as one of its handlers has ended.',
    file: 'packages/transport-core/src/rpc/serving.ts',
    from: 'else if (this.#active === this.#options.concurrency - 1) this.#inbox.feed(this);',
    to: 'else if (this.#active === this.#options.concurrency) this.#inbox.feed(this);',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/rpc/serving.test.ts',
      title: 'at most as many handlers run at once as concurrency allows; the rest waits in order',
    },
  },
  {
    rule: 'The clean-up of a stream handler runs when its caller leaves, even if its source hangs.',
    file: 'packages/transport-core/src/rpc/serving.ts',
    from: "signal.addEventListener('abort', leave, { once: true });",
    to: '',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/rpc/serving.test.ts',
      title:
        'a download that returns an iterable is written item by item, and its source is returned when the caller leaves',
    },
  },
  {
    rule: 'Items that a handler returns after its call has ended are closed.',
    file: 'packages/transport-core/src/rpc/serving.ts',
    from: 'closeItems(value, this.#options.failed);',
    to: ';',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/rpc/serving.test.ts',
      title: 'items that a handler returns after it has answered are returned unread',
    },
  },
  {
    rule: 'The id of a call is never 0, no matter how often its slot was used.',
    file: 'packages/transport-core/src/session/id-table.ts',
    from: 'this.#ids[slot] = (entry.id - (HIGHEST + 1 - SLOTS * 2)) & HIGHEST || SLOTS * 2;',
    to: 'this.#ids[slot] = (entry.id - (HIGHEST + 1 - SLOTS * 2)) & HIGHEST;',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/session/id-table.test.ts',
      title: 'the first slot of an acceptor never gives id 0, however often it wraps',
    },
  },
  {
    rule: 'A failed handshake keeps its place for a second, so that its source cannot retry at once.',
    file: 'packages/transport-core/src/stream/bounded-handshakes.ts',
    from: 'if (hasFailed && this.#perSource !== Number.POSITIVE_INFINITY)',
    to: 'if (!hasFailed && this.#perSource !== Number.POSITIVE_INFINITY)',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/stream/bounded-handshakes.test.ts',
      title:
        'a source has no more than its share, whatever its ports, until one handshake completes',
    },
  },
  {
    rule: 'A channel gets no extra share of the wire for the time when it had nothing to send.',
    file: 'packages/transport-core/src/session/outbox.ts',
    from: 'lanes.join(least === Number.POSITIVE_INFINITY ? 0 : least);',
    to: 'lanes.join(0);',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/session/outbox.test.ts',
      title: 'a channel that wakes starts at the current minimum: its silence earns nothing',
    },
  },
  {
    rule: 'A grown window stops counting as lent memory when its stream ends.',
    file: 'packages/transport-core/src/session/receive-account.ts',
    from: 'this.#context.memory.lend(-this.#more);',
    to: '',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/session/growing-account.test.ts',
      title: 'when the connection ends nothing is borrowed any more',
    },
  },
  {
    rule: 'Calls that a lost connection did not deliver are sent again in the order in which they were made.',
    file: 'packages/transport-core/src/session/caller/caller.ts',
    from: 'return unsent.sort((a, b) => a.seq - b.seq);',
    to: 'return unsent;',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/session/session-pair.test.ts',
      title:
        'when the connection breaks, each call settles once or is returned unsent, and nothing is held',
    },
  },
  {
    rule: 'A request that arrives twice under one id is handled once.',
    file: 'packages/transport-core/src/session/callee/callee.ts',
    from: 'if (this.served.ids.get(frame.id) !== undefined) return this.#duplicate(frame, account);',
    to: 'if (this.served.ids.get(frame.id)?.open === false) return this.#duplicate(frame, account);',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/session/hostile.test.ts',
      title: 'a peer that says what it likes (within the forms) breaks nothing but its connection',
    },
  },
  {
    rule: 'An incomplete message is abandoned when its sender has stalled.',
    file: 'packages/transport-core/src/session/callee/served-calls.ts',
    from: 'const stale = lastPacket + STALLED;',
    to: 'const stale = Math.max(lastPacket, now) + STALLED;',
    killer: {
      package: 'transport-tcp',
      file: 'packages/transport-tcp/src/session.test.ts',
      title:
        'tcp: long: a request whose packets stop fails after 10 s with an ERROR, and its memory is freed (as acceptor)',
    },
  },
  {
    rule: 'If memory is short, the connection that holds the most unfinished bytes loses a message first.',
    file: 'packages/transport-core/src/session/memory.ts',
    from: 'if (sender === fastest || sender.unfinished <= share) continue;',
    to: 'if (sender === fastest || sender.unfinished > share) continue;',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/session/memory.test.ts',
      title:
        'if memory is scarce, the largest unfinished message is refused unprocessed, and its credit returned',
    },
  },
  {
    rule: 'The pool of a crowded target never grows above its limit.',
    file: 'packages/transport-core/src/stream/pool.ts',
    from: 'entry.connections.length < this.host.config.maxPool)',
    to: 'entry.connections.length <= this.host.config.maxPool)',
    killer: {
      package: 'transport-core',
      file: 'packages/transport-core/src/stream/pool.growth.test.ts',
      title:
        'a pool whose connections are all crowded for 50 ms grows in the background, up to maxPool maxPool',
    },
  },
];
