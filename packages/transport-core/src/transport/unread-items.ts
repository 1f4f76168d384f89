// Finds streams that became garbage before anybody began to read them, so that their calls end. All
// transports of a process share its state. transport-testkit (src/testing/core/unread.ts) tests it.

import type { UnreadCall } from '../rpc/inbox.ts';
import { onGarbage, systemClock } from '../system-runtime.ts';

let offered: { readonly items: object; readonly call: UnreadCall }[] = [];
let registry: FinalizationRegistry<UnreadCall> | undefined;

/**
 * Calls `call.forgotten` when the items have become garbage. The call must not refer to the items,
 * so `opened` (rpc/call.ts) clears its promise; and it may have ended or been read by then. A
 * stream that is read in the turn in which its caller gets it, as almost all are, costs no entry in
 * the registry. Only for transports on `systemClock` (`TransportEngine.watchUnread`), and
 * for calls whose `download` stays set: no call that has given out its items is sent again.
 */
export function watchUnread(items: object, call: UnreadCall): void {
  if (offered.push({ items, call }) === 1) systemClock.turn!(register);
}

function register(): void {
  registry ??= onGarbage((call) => call.forgotten());
  for (const { items, call } of offered)
    if (call.download!.unreadSince !== undefined) registry.register(items, call);
  offered = [];
}
