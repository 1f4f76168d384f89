// What a Plumtree machine counts. Messages, unless it says ids.

export class PlumtreeCounters {
  published = 0;
  delivered = 0;
  duplicates = 0;
  /** Of the duplicates, those with another content than the first. */
  conflicts = 0;
  /** Pushed; of these, sent on demand. */
  pushed = 0;
  served = 0;
  /** Pushes there was no room for. */
  refused = 0;
  /** Control messages sent, and received, of all kinds. */
  controlSent = 0;
  controlReceived = 0;
  /** Ids of notices sent, and of notices received. */
  noticesSent = 0;
  noticesReceived = 0;
  /** Ids of notices dropped because too many waited for a peer. */
  noticesDropped = 0;
  /** Ids of notices and grafts that were ignored because they were too many. */
  ignored = 0;
  graftsSent = 0;
  graftsReceived = 0;
  prunesSent = 0;
  prunesReceived = 0;
  /** Of the grafts sent, those that moved the tree to a shorter path. */
  optimized = 0;
  /** Ids that were asked for in vain and given up. */
  lost = 0;
  brokenPromises = 0;
  /** Messages that left the cache before their time. */
  evicted = 0;
  /**
   * Refused: too late or of an earlier life; no room for another origin; unsigned, though its
   * origin signs; in this node's name; of no neighbour; malformed.
   */
  old = 0;
  full = 0;
  unsigned = 0;
  own = 0;
  strangers = 0;
  malformed = 0;
}
