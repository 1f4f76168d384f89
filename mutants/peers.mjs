// Mutants of peers; see main.mjs.

export const peers = [
  {
    rule: 'A ban is never shortened.',
    file: 'packages/peers/src/book/ban-list.ts',
    from: 'const until = Math.min(Math.max(ban.until, had?.until ?? ban.until), now + LONGEST_BAN);',
    to: 'const until = Math.min(ban.until, now + LONGEST_BAN);',
    killer: {
      package: 'peers',
      file: 'packages/peers/src/book/address-book.refused.test.ts',
      title:
        'a ban lasts 24 hours by default and 30 days at most, is never shortened, and can be lifted',
    },
  },
  {
    rule: 'The address of a banned node returns to the book when the ban ends.',
    file: 'packages/peers/src/book/ban-list.ts',
    from: 'this.#soonest = Math.min(this.#soonest, until);',
    to: '',
    killer: {
      package: 'peers',
      file: 'packages/peers/src/book/address-book.refused.test.ts',
      title:
        'a banned id leaves the book, is not added again, and returns as a new address when its ban ends',
    },
  },
  {
    rule: 'The wait after the first failed dial is the configured interval.',
    file: 'packages/peers/src/dialing/back-off.ts',
    from: 'Math.min(failures - 1, MOST_STEPS)',
    to: 'Math.min(failures, MOST_STEPS)',
    killer: {
      package: 'peers',
      file: 'packages/peers/src/dialing/back-off.test.ts',
      title: 'waits grow 1.6-fold from the interval to the maximum, within the jitter',
    },
  },
  {
    rule: 'A tried address is replaced only if it did not answer a test.',
    file: 'packages/peers/src/book/promotion.ts',
    from: 'incumbents.filter((incumbent) => incumbent.hasFailedTest(now)),',
    to: 'incumbents.filter((incumbent) => incumbent.lastAttempt !== now),',
    killer: {
      package: 'peers',
      file: 'packages/peers/src/book/attack.test.ts',
      title:
        'if the tried bucket is full, a newcomer stays new, and the entry that was silent longest is tested',
    },
  },
  {
    rule: 'A node cannot take over the address of another one that answered recently.',
    file: 'packages/peers/src/book/address-book.ts',
    from: "if (holder?.tried && holder.isRecent(now)) return 'vetted';",
    to: "if (holder?.tried && holder.isLost(now)) return 'vetted';",
    killer: {
      package: 'peers',
      file: 'packages/peers/src/book/address-book.test.ts',
      title:
        'a peer gets an address that another id holds, unless that id was reached there within a week',
    },
  },
  {
    rule: 'At most 250 addresses of an answer are read.',
    file: 'packages/peers/src/exchange/peer-exchange.ts',
    from: 'for (const value of entries.slice(0, MOST_ADDRESSES)) {',
    to: 'for (const value of entries.slice(0, MOST_ADDRESSES + 1)) {',
    killer: {
      package: 'peers',
      file: 'packages/peers/src/exchange/peer-exchange.answers.test.ts',
      title: 'of a list of 100,000 entries, only 250 are examined',
    },
  },
  {
    rule: 'A peer is blamed if it repeats its answer too often.',
    file: 'packages/peers/src/exchange/peer-exchange.ts',
    from: 'peer.repeats++ < REPEATS',
    to: 'peer.repeats < REPEATS',
    killer: {
      package: 'peers',
      file: 'packages/peers/src/exchange/peer-exchange.answers.test.ts',
      title:
        'one request allows one answer; soon after it three repetitions are tolerated, and a fourth is unsolicited',
    },
  },
  {
    rule: 'A late message of the former instance of a peer is not taken for a restart.',
    file: 'packages/peers/src/status/status-sync.ts',
    from: 'if (peer === undefined || (instance === peer.former && now < peer.formerUntil)) return;',
    to: 'if (peer === undefined) return;',
    killer: {
      package: 'peers',
      file: 'packages/peers/src/status/status-sync.test.ts',
      title: 'late numbers, answers and failures of the previous instance are ignored',
    },
  },
  {
    rule: 'Each peer has at most one pull of its status at a time.',
    file: 'packages/peers/src/status/status-sync.ts',
    from: 'if (peer.pull !== undefined && now - peer.pull.began < this.#pullTimeout) return;',
    to: '',
    killer: {
      package: 'peers',
      file: 'packages/peers/src/status/status-sync.test.ts',
      title: 'a newer number is pulled once; equal and older ones are ignored',
    },
  },
  {
    rule: 'A connection that only asserts an id is not added to a peer that proved it.',
    file: 'packages/peers/src/admission/admission.ts',
    from: 'const isSame = known?.instance === instance && known.proven === proven;',
    to: 'const isSame = known?.instance === instance;',
    killer: {
      package: 'peers',
      file: 'packages/peers/src/admission/admission.test.ts',
      title:
        'an instance proves nothing: repeating it neither joins a proven node nor takes its place',
    },
  },
  {
    rule: 'A full node refuses further peers.',
    file: 'packages/peers/src/admission/admission.ts',
    from: 'if (others >= limits.maxInbound)',
    to: 'if (others > limits.maxInbound)',
    killer: {
      package: 'peers',
      file: 'packages/peers/src/admission/admission.test.ts',
      title:
        'a node that connects while all its links are closing is new: caps apply to it, and it keeps its old place',
    },
  },
  {
    rule: 'Two live nodes with one key are recognized as twins.',
    file: 'packages/peers/src/admission/twins.ts',
    from: 'replaced.until ??= now + REFUSED;',
    to: 'replaced.until = now + REFUSED;',
    killer: {
      package: 'peers',
      file: 'packages/peers/src/admission/twins.test.ts',
      title:
        'a replaced instance that returns is refused for 30 s from then on, and judged like any other after that',
    },
  },
  {
    rule: 'The address of a cloud metadata service is not dialed, even inside an IPv6 address.',
    file: 'packages/peers/src/address/ip-kind.ts',
    from: 'return ip.subarray(2, 6);',
    to: 'return ip.subarray(4, 8);',
    killer: {
      package: 'peers',
      file: 'packages/peers/src/address/ip-kind.test.ts',
      title: 'private addresses are recognized, also through tunnels',
    },
  },
  {
    rule: 'An answer never contains private addresses.',
    file: 'packages/peers/src/book/address-selection.ts',
    from: 'return !this.#rules.isPrivate(known.nodeId) && !known.isBad(now);',
    to: 'return !this.#rules.isPrivate(known.nodeId) || !known.isBad(now);',
    killer: {
      package: 'peers',
      file: 'packages/peers/src/book/answers.test.ts',
      title:
        'private, banned and unknown nodes are left out of an answer even if they are connected',
    },
  },
  {
    rule: 'Dials of persistent peers do not use up the quota of other dials.',
    file: 'packages/peers/src/dialing/dial-quota.ts',
    from: 'if (total >= this.#concurrent && others',
    to: 'if (total >= this.#concurrent || others',
    killer: {
      package: 'peers',
      file: 'packages/peers/src/dialing/dial-bounds.test.ts',
      title: 'dials keep to their limits per second, at once and per host',
    },
  },
  {
    rule: 'If a connection lasted, the next wait for its address is the shortest again.',
    file: 'packages/peers/src/dialing/address-history.ts',
    from: 'if (entry.since !== undefined && now - entry.since >= LONG_ENOUGH) entry.failures = 0;',
    to: 'if (entry.since !== undefined && now - entry.since < LONG_ENOUGH) entry.failures = 0;',
    killer: {
      package: 'peers',
      file: 'packages/peers/src/dialing/dial-planner.test.ts',
      title: 'a peer that accepts and closes at once is not dialed in a hot loop',
    },
  },
  {
    rule: 'A node without a common version of the protocol is no peer.',
    file: 'packages/peers/src/driver/admission-control.ts',
    from: 'if (mismatch !== undefined) throw mismatch;',
    to: 'if (mismatch !== undefined) void mismatch;',
    killer: {
      package: 'peers',
      file: 'packages/peers/src/incompatible.test.ts',
      title:
        'a node without a common version of the protocol is rejected by both ends and takes no place',
    },
  },
  {
    rule: 'An IPv6 link-local address that others report is not dialed.',
    file: 'packages/peers/src/address/place.ts',
    from: "(place.kind === 'link_local' && place.ip?.length === 16)",
    to: 'false',
    killer: {
      package: 'peers',
      file: 'packages/peers/src/link-local.test.ts',
      title: 'a link-local address that a peer advertises is neither kept nor sent on',
    },
  },
];
