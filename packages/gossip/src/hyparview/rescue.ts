// Helps other nodes after many simultaneous failures: they may have no neighbors left, and may be
// known only to this node.

import type { PartialViewConfig } from './options.ts';
import type { Requests } from './requests.ts';
import type { Shuffles } from './shuffles.ts';
import type { Views } from './views.ts';

export interface RescueInit {
  readonly config: PartialViewConfig;
  readonly views: Views;
  readonly requests: Requests;
  readonly shuffles: Shuffles;
}

export class Rescue {
  readonly #init: RescueInit;
  #last = Number.NEGATIVE_INFINITY;

  constructor(init: RescueInit) {
    this.#init = init;
  }

  /**
   * Called after a link was added. If the view is full again after at least as many losses as it
   * has links, greets all passive peers, at most once in a `denyWindow`.
   */
  linked(now: number): void {
    const { config, views, requests, shuffles } = this.#init;
    const { active, denyWindow } = config;
    if (
      views.active.size !== active ||
      now < this.#last + denyWindow ||
      views.losses.count(now) < active
    )
      return;
    this.#last = now;
    for (const passive of views.passive.peers())
      if (!requests.has(passive)) shuffles.greet(passive);
  }
}
