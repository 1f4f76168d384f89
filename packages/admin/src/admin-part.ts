// Administration as a part of a node.

import type { NodePart } from '@trunkline/transport-core/backend';
import { type Admin, type AdminOptions, createAdmin } from './admin.ts';
import type { AdminSources } from './state/sources.ts';

/** Administration as a part of a node, with clients of this node and of others. */
export interface AdminPart extends NodePart<AdminSources>, Pick<Admin, 'client'> {}

/**
 * Returns the administration of a node as a part: `createNode({ parts: [admin({ allow })] })`. It
 * observes the node's transport, and serves the state of the node, of its peers and of its topics
 * over this transport. `log` is the logger whose level tools may set. Each node needs a part of its
 * own. Throws a TypeError if `allow` is missing or another option is invalid.
 */
export function admin({ log, ...options }: AdminOptions & Pick<AdminSources, 'log'>): AdminPart {
  const created = createAdmin(options);
  let stop: (() => Promise<void>) | undefined;
  return {
    name: 'admin',
    observer: created.observer,
    start({ transport, peers, gossip }) {
      if (stop !== undefined)
        throw new TypeError('admin: this part belongs to another node; create one for each node');
      stop = created.serve({ transport, peers, gossip, log });
    },
    close: () => stop?.(),
    client: (target) => created.client(target),
  };
}
