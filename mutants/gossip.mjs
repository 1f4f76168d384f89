// Mutants of gossip; see main.mjs.

export const gossip = [
  {
    rule: 'A node that only publishes pushes to a single neighbor, so that the tree of the others stays whole.',
    file: 'packages/gossip/src/plumtree/plumtree.ts',
    from: 'neighbor.eager = [...this.#neighbors.values()].every(({ eager }) => !eager);',
    to: 'neighbor.eager = true;',
    killer: {
      package: 'gossip',
      file: 'packages/gossip/src/publish-only.test.ts',
      title:
        'on a tree, nodes that only publish are sent no message and leave the tree as it is, even if the neighbor that they push to crashes',
    },
  },
  {
    rule: 'A node that only publishes is not on the list of topics that peers pull.',
    file: 'packages/gossip/src/driver/interests.ts',
    from: 'this.#listed = listed.map((topic) => keys.get(topic)!);',
    to: 'this.#listed = [...keys.values()];',
    killer: {
      package: 'gossip',
      file: 'packages/gossip/src/publish-only.test.ts',
      title:
        'on a tree, nodes that only publish are sent no message and leave the tree as it is, even if the neighbor that they push to crashes',
    },
  },
  {
    rule: 'A message is accepted only if the publisher that its id names has signed it.',
    file: 'packages/gossip/src/signatures/signatures.ts',
    from: 'idOfKey(publicKey) === id.origin &&',
    to: '',
    killer: {
      package: 'gossip',
      file: 'packages/gossip/src/signatures.forgeries.test.ts',
      title:
        'a forgery is dropped and its sender reported; the authentic message with its id still arrives, and later forgeries do no harm',
    },
  },
  {
    rule: 'A publication waits for the dials of its recipients.',
    file: 'packages/gossip/src/topics/publication.ts',
    from: 'if (this.#isOver || this.#pending.size > 0) return;',
    to: 'if (this.#isOver) return;',
    killer: {
      package: 'gossip',
      file: 'packages/gossip/src/receipts.test.ts',
      title: 'messages from the first second of a topic reach all nodes that turn out to be on it',
    },
  },
  {
    rule: 'A peer that forges many messages is not verified for the rest of the second.',
    file: 'packages/gossip/src/signatures/signatures.ts',
    from: 'this.#forgeryLimiter.note(source, now);',
    to: '',
    killer: {
      package: 'gossip',
      file: 'packages/gossip/src/signatures/signatures.test.ts',
      title:
        'the verification of a forging peer is limited per second; other peers are not affected',
    },
  },
  {
    rule: 'After a prune, messages that are still in flight do not bring the link back into the tree.',
    file: 'packages/gossip/src/plumtree/tree.ts',
    from: 'return now - neighbor.prunedAt < this.#init.settleTime;',
    to: 'return now - neighbor.prunedAt < 0;',
    killer: {
      package: 'gossip',
      file: 'packages/gossip/src/plumtree/plumtree.test.ts',
      title: 'a duplicate prunes the link that it came over',
    },
  },
  {
    rule: 'A signature covers the list of recipients.',
    file: 'packages/gossip/src/signatures/signatures.ts',
    from: 'bytes.set(recipients, head);',
    to: '',
    killer: {
      package: 'gossip',
      file: 'packages/gossip/src/signatures/signatures.test.ts',
      title: 'a signature is valid for one topic, one id, one audience and one content',
    },
  },
  {
    rule: 'If a node signs its messages, unsigned messages in its name are refused.',
    file: 'packages/gossip/src/messages/seen-messages.ts',
    from: "return isSigned || !origin.isSigned || verdict === 'seen' ? verdict : 'unsigned';",
    to: 'return verdict;',
    killer: {
      package: 'gossip',
      file: 'packages/gossip/src/messages/seen-messages.test.ts',
      title: 'only signed messages affect an origin that signs; its first one resets its memory',
    },
  },
  {
    rule: 'A message is new only once, no matter in which order messages arrive.',
    file: 'packages/gossip/src/messages/origin-window.ts',
    from: 'if (from < sequence) rest.push({ from, to: sequence, since });',
    to: 'if (from < sequence) rest.push({ from, to: sequence + 1, since });',
    killer: {
      package: 'gossip',
      file: 'packages/gossip/src/messages/origin-window.test.ts',
      title: 'messages in order, late or out of order are each new once',
    },
  },
  {
    rule: 'A peer can announce only a limited number of messages that are missing here.',
    file: 'packages/gossip/src/plumtree/missing-messages.ts',
    from: 'if (outstanding >= this.#options.outstanding) return false;',
    to: 'if (outstanding > this.#options.outstanding) return false;',
    killer: {
      package: 'gossip',
      file: 'packages/gossip/src/plumtree/faults.test.ts',
      title: 'made-up ids take bounded memory, expire, and their peer is blamed',
    },
  },
  {
    rule: 'All peers that announced a missing message are asked for it before any of them is asked again.',
    file: 'packages/gossip/src/plumtree/missing-messages.ts',
    from: 'const left = message.advertisers.filter(({ asked }) => asked === round);',
    to: 'const left = message.advertisers.filter(({ asked }) => asked >= round);',
    killer: {
      package: 'gossip',
      file: 'packages/gossip/src/plumtree/plumtree.test.ts',
      title:
        'an announced message is requested after 80 ms, then from each next peer after 40 ms, then all over again',
    },
  },
  {
    rule: 'If the peer to ask next leaves, the other peers are not asked again before the next round.',
    file: 'packages/gossip/src/plumtree/missing-messages.ts',
    from: 'if (isRoundOver && this.#next.delete(key)) this.#again.set(key, message, askedAt);',
    to: 'if (isRoundOver && this.#next.delete(key)) this.#atOnce.set(key, message, askedAt);',
    killer: {
      package: 'gossip',
      file: 'packages/gossip/src/plumtree/missing-messages.test.ts',
      title:
        'a peer that withdraws or disconnects before it is asked does not hasten the next round',
    },
  },
  {
    rule: 'A peer that was removed from the passive view stays removed.',
    file: 'packages/gossip/src/hyparview/passive-view.ts',
    from: 'if (index < this.#peers.length) this.#peers[index] = last;',
    to: 'this.#peers[index] = last;',
    killer: {
      package: 'gossip',
      file: 'packages/gossip/src/hyparview/partial-view.test.ts',
      title:
        'a node that was just lost does not return by a late answer or a report of others, only by itself',
    },
  },
  {
    rule: 'A full view gives up a link that has brought nothing before one that has.',
    file: 'packages/gossip/src/hyparview/active-view.ts',
    from: 'last(({ chosen, gave }) => !chosen && !gave) ??',
    to: 'last(({ chosen }) => !chosen) ??',
    killer: {
      package: 'gossip',
      file: 'packages/gossip/src/hyparview/partial-view.full-view.test.ts',
      title: 'a neighbor that has forwarded messages stays when one must go, even if it came later',
    },
  },
  {
    rule: 'A publication fails early only if too few peers can confirm it.',
    file: 'packages/gossip/src/topics/publication.ts',
    from: 'else if (open === undefined && this.#queued.size < min)',
    to: 'else if (open === undefined && this.#queued.size <= min)',
    killer: {
      package: 'gossip',
      file: 'packages/gossip/src/receipts.test.ts',
      title:
        'on a partial view another neighbor makes up for a refusal; a min above the number of links throws a TypeError',
    },
  },
  {
    rule: 'Every recipient of a long message is in exactly one part.',
    file: 'packages/gossip/src/relay/distribution.ts',
    from: 'at >= count && at % count === i',
    to: 'at > count && at % count === i',
    killer: {
      package: 'gossip',
      file: 'packages/gossip/src/relay/split-recipients.test.ts',
      title:
        'every node is in one part, parts differ by one at most, and there are no more parts than the fanout',
    },
  },
  {
    rule: 'The queue of validators has room again after its messages were validated.',
    file: 'packages/gossip/src/topics/validation.ts',
    from: 'this.#count(lane, -1, -check.size);',
    to: '',
    killer: {
      package: 'gossip',
      file: 'packages/gossip/src/slow.validators.test.ts',
      title:
        'while all validators are busy, messages wait in order, bounded by count and bytes; the rest is dropped without blame',
    },
  },
  {
    rule: 'The newest message stays in the cache, even if it is larger than the limit.',
    file: 'packages/gossip/src/plumtree/message-cache.ts',
    from: 'this.#messages.size > 1 &&',
    to: '',
    killer: {
      package: 'gossip',
      file: 'packages/gossip/src/plumtree/plumtree.test.ts',
      title: 'the cache is limited by time, entries and bytes, ids by time',
    },
  },
  {
    rule: 'A message that comes too late is never treated as new.',
    file: 'packages/gossip/src/messages/origin-window.ts',
    from: 'this.#floor = Math.max(this.#floor, gap!.to);',
    to: 'this.#floor = Math.max(this.#floor, gap!.from);',
    killer: {
      package: 'gossip',
      file: 'packages/gossip/src/messages/origin-window.test.ts',
      title: 'a node that joins a stream late accepts earlier messages while the gap stays open',
    },
  },
];
