// Mutants of simulation; see main.mjs.

export const simulation = [
  {
    rule: 'A sync makes only the changes durable that were made before it.',
    file: 'packages/simulation/src/nodes/node-store.ts',
    from: 'const count = upTo - this.#synced;',
    to: 'const count = this.#disk.pending;',
    killer: {
      package: 'simulation',
      file: 'packages/simulation/src/store.test.ts',
      title: 'a sync persists the changes made before it was called, but no changes made later',
    },
  },
  {
    rule: 'A change that a crash has lost does not come back later.',
    file: 'packages/simulation/src/nodes/node-store.ts',
    from: 'this.#unsafe = [];',
    to: '',
    killer: {
      package: 'simulation',
      file: 'packages/simulation/src/golden.test.ts',
      title: 'a run that uses every feature has the hash that is recorded: disks',
    },
  },
  {
    rule: 'A bridge node reaches both groups of a partition that contain it.',
    file: 'packages/simulation/src/network/topology.ts',
    from: 'return !this.#groups.some((group) => group.has(from) && group.has(to));',
    to: 'return !this.#groups.find((group) => group.has(from))?.has(to);',
    killer: {
      package: 'simulation',
      file: 'packages/simulation/src/partitions.test.ts',
      title:
        'partitions have groups, isolated nodes outside them and bridges in several; the last one counts, and heal ends it (message)',
    },
  },
  {
    rule: 'Healing the network releases everything that was held back.',
    file: 'packages/simulation/src/network/topology.ts',
    from: 'this.#holds.clear();',
    to: '',
    killer: {
      package: 'simulation',
      file: 'packages/simulation/src/partitions.test.ts',
      title:
        'after a cut a stream continues with the next retransmission, after a hold at once; messages are not sent again',
    },
  },
  {
    rule: 'On a clock that runs fast, timers fire early.',
    file: 'packages/simulation/src/nodes/node-clock.ts',
    from: 'Math.min(delay, LONGEST_DELAY) / this.#time.rate,',
    to: 'Math.min(delay, LONGEST_DELAY) * this.#time.rate,',
    killer: {
      package: 'simulation',
      file: 'packages/simulation/src/nodes/node-clock.test.ts',
      title: 'waiting for a time of a clock that is fast ends in time, without a loop',
    },
  },
  {
    rule: 'A write of unknown outcome may take effect long after its client gave up.',
    file: 'packages/simulation/src/checking/effect.ts',
    from: 'const times = { certain: false, returned: Number.POSITIVE_INFINITY };',
    to: 'const times = { certain: false, returned: operation.returned ?? Number.POSITIVE_INFINITY };',
    killer: {
      package: 'simulation',
      file: 'packages/simulation/src/checking/linearizable.test.ts',
      title: 'a write of unknown outcome may take effect later, once',
    },
  },
  {
    rule: 'A call takes effect after every call that had returned before it was called.',
    file: 'packages/simulation/src/checking/objects/check-object.ts',
    from: 'i < certain.length && certain[i]!.called < returned!; i++)',
    to: 'i < certain.length && returned !== undefined; i++)',
    killer: {
      package: 'simulation',
      file: 'packages/simulation/src/checking/objects/check-object.test.ts',
      title: 'a set that brings a value back is found, and so is the call that shows it',
    },
  },
  {
    rule: 'The check of an object handles the calls in the order in which they returned.',
    file: 'packages/simulation/src/checking/objects/check-object.ts',
    from: '.sort((a, b) => a.call.returned! - b.call.returned!);',
    to: '.sort((a, b) => a.call.called - b.call.called);',
    killer: {
      package: 'simulation',
      file: 'packages/simulation/src/checking/objects/patterns.test.ts',
      title: 'no verdict on small random histories is wrong: counter',
    },
  },
  {
    rule: 'A queue gives no value before one that had gone in before it.',
    file: 'packages/simulation/src/checking/objects/patterns.ts',
    from: 'out >= latest.until) continue;',
    to: 'out < latest.until) continue;',
    killer: {
      package: 'simulation',
      file: 'packages/simulation/src/checking/objects/patterns.test.ts',
      title: 'no verdict on small random histories is wrong: queue',
    },
  },
  {
    rule: 'A transaction that was called after several others had returned depends on all of them.',
    file: 'packages/simulation/src/checking/transactions/dependencies.ts',
    from: 'latest.filter((other) => !implied.includes(other))',
    to: 'latest.filter((other) => implied.includes(other))',
    killer: {
      package: 'simulation',
      file: 'packages/simulation/src/checking/transactions/isolation-levels.test.ts',
      title: 'many transactions that miss many writes are judged as a few would be',
    },
  },
  {
    rule: 'An append that no read has seen comes after all appends that were seen.',
    file: 'packages/simulation/src/checking/transactions/list-versions.ts',
    from: 'versions[longest.length]!.next.push',
    to: 'versions[0]!.next.push',
    killer: {
      package: 'simulation',
      file: 'packages/simulation/src/checking/transactions/check-transactions.test.ts',
      title: 'an append that is lost is found: G-single-real time',
    },
  },
  {
    rule: 'A cycle is found, even if a dependency outside of all cycles was recorded before it.',
    file: 'packages/simulation/src/checking/transactions/graph.ts',
    from: 'if (group[from] !== group[to]) continue;',
    to: 'if (group[from] !== group[to]) break;',
    killer: {
      package: 'simulation',
      file: 'packages/simulation/src/checking/transactions/isolation-levels.test.ts',
      title: 'many transactions that miss many writes are judged as a few would be',
    },
  },
  {
    rule: 'Two reads that miss a write may follow each other in a snapshot.',
    file: 'packages/simulation/src/checking/transactions/graph.ts',
    from: 'if (kind.isApart && bit === 1 && (edge.kind & RW) !== 0) return -1;',
    to: 'if (kind.isApart && bit === 2 && (edge.kind & RW) !== 0) return -1;',
    killer: {
      package: 'simulation',
      file: 'packages/simulation/src/checking/transactions/isolation-levels.test.ts',
      title:
        'without the transaction that only reads, its anomaly is serializable, and write skew is not',
    },
  },
  {
    rule: 'A shrunk schedule has no fault that can be left out.',
    file: 'packages/simulation/src/explore/shrink.ts',
    from: 'for (let parts = 2; rest.length > 1; ) {',
    to: 'for (let parts = 2; rest.length > 2; ) {',
    killer: {
      package: 'simulation',
      file: 'packages/simulation/src/explore/shrink.test.ts',
      title: 'if some elements of a list fail only together, those are left, in order',
    },
  },
  {
    rule: 'A lost one-way call gives its credit back to its channel.',
    file: 'packages/simulation/src/network/message-line.ts',
    from: 'inFlight.refund((account, cost, channel) => this.back.#credit(account, cost, channel));',
    to: 'inFlight.refund((account, cost) => this.back.#credit(account, cost, 0));',
    killer: {
      package: 'simulation',
      file: 'packages/simulation/src/lost-messages.test.ts',
      title: 'nothing leaks with loss, duplicates, reordering, cuts and interceptors: seed 1',
    },
  },
  {
    rule: 'A torn write leaves a part of the old value.',
    file: 'packages/simulation/src/nodes/survivors.ts',
    from: 'const before = left.slice(0, last);',
    to: 'const before = left.slice(0, last + 1);',
    killer: {
      package: 'simulation',
      file: 'packages/simulation/src/store-faults.test.ts',
      title: 'a torn write survives a crash in part, after all that came before it',
    },
  },
  {
    rule: 'A seed is counted as passed only if it comes before the last reported failure.',
    file: 'packages/simulation/src/explore/seed-tally.ts',
    from: 'failures.at(-1)!.place + 1',
    to: 'failures.at(0)!.place + 1',
    killer: {
      package: 'simulation',
      file: 'packages/simulation/src/explore/explore.test.ts',
      title: 'many failures are reported, each with its seed',
    },
  },
  {
    rule: 'Two nodes of a simulation draw different random numbers.',
    file: 'packages/simulation/src/kernel/distributions.ts',
    from: "[seed, ...labels].join('\\n')",
    to: "[seed, labels.length].join('\\n')",
    killer: {
      package: 'simulation',
      file: 'packages/simulation/src/kernel/distributions.test.ts',
      title: 'a child stream depends only on the seed and every label',
    },
  },
  {
    rule: 'Data that waited at a cut arrives in the order in which it was sent.',
    file: 'packages/simulation/src/network/sim-line.ts',
    from: 'if (!cut && !held && this.#stalled.length === 0) return this.#hand(data);',
    to: 'if (!cut && !held) return this.#hand(data);',
    killer: {
      package: 'simulation',
      file: 'packages/simulation/src/golden.test.ts',
      title: 'a run that uses every feature has the hash that is recorded: stream',
    },
  },
];
