// Carries what one end sends to the other: in order, never within the sender's call, and never so long at a stretch that timers and
// sockets starve.

import type { Clock } from '@trunkline/transport-core';

export class Courier {
  private readonly clock: Clock;
  private readonly deliver: () => void;
  private scheduled = false;
  private stretch = 0;

  /** @param deliver hands over all that waits. */
  constructor(clock: Clock, deliver: () => void) {
    this.clock = clock;
    this.deliver = deliver;
  }

  /** Something waits: it is delivered when the code that runs now is through. */
  call(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    if (++this.stretch < STRETCH || this.clock.yield === undefined) return this.clock.defer(this.run);
    this.stretch = 0;
    this.clock.yield(this.run);
  }

  private readonly run = (): void => {
    this.scheduled = false;
    this.deliver();
  };
}

/** Deliveries between two turns of the event loop. */
const STRETCH = 128;
