// A lock with leases and fencing tokens, and a resource that checks the tokens, with a switch for
// each of nine planted bugs. A lease is counted by monotonic clocks: by its holder from the request,
// by the server from the grant, so that the holder's ends first, unless the clocks drift by more
// than MARGIN.

import { check, type NodeContext, type Simulation } from '@trunkline/simulation';
import { defineProtocol, json, serve } from '@trunkline/transport-core';
import { z } from 'zod';
import { Saved } from './saved.ts';

/** The bugs, and what each does. */
export const LOCK_BUGS = {
  noFencing: 'the resource accepts old tokens',
  tokenReset: 'the last token is not on the disk, so tokens begin again after a restart',
  unsyncedGrant: 'a grant is sent before the sync of its token has ended',
  noGrace: 'after a restart, the server does not wait for the leases of its earlier life to end',
  leaseFromAnswer: 'a holder counts its lease from the answer',
  wallClock: 'leases are counted by wall clocks',
  lateRenewal: 'a lease is renewed although it has ended and another client holds the lock',
  releaseByOther: 'a late release by an earlier holder releases the lock of the next one',
  retryGrantsTwice: 'a repeated request gets its old grant again although that has ended',
} as const;

export type LockBug = keyof typeof LOCK_BUGS;

/** Returns true if a bug is planted. Asked only if the bug changes what happens next. */
type Planted = (bug: LockBug) => boolean;

interface Acquire {
  readonly client: string;
  /** The number of the request; equal for repetitions. */
  readonly number: number;
}
interface Held {
  readonly token: number;
}

const lock = defineProtocol({
  name: 'lock',
  version: 1,
  channel: 0x20,
  methods: {
    /** Returns a token, or 0 if another client holds the lock. */
    acquire: {
      id: 1,
      request: json(z.custom<Acquire>()),
      response: json(z.number()),
      timeout: 200,
    },
    renew: { id: 2, request: json(z.custom<Held>()), response: json(z.boolean()), timeout: 200 },
    release: { id: 3, request: json(z.custom<Held>()) },
  },
});

/** A register whose users hold the lock. Both methods refuse old tokens. */
const resource = defineProtocol({
  name: 'resource',
  version: 1,
  channel: 0x21,
  methods: {
    read: {
      id: 1,
      request: json(z.custom<Held>()),
      response: json(z.custom<{ readonly value: string | null } | 'refused'>()),
      timeout: 200,
    },
    write: {
      id: 2,
      request: json(z.custom<Held & { readonly value: string }>()),
      response: json(z.boolean()),
      timeout: 200,
    },
  },
});

function lockServer(planted: Planted) {
  return async (context: NodeContext) => {
    const now = timeOf(context, planted);
    const net = context.transport(lock);
    const saved = new Saved<number>(context);
    const last = await saved.read();
    let token = last ?? 0;
    // A client may hold a lease of the earlier life.
    let end = last === undefined || planted('noGrace') ? 0 : now() + LEASE;
    let holder: (Acquire & Held) | undefined;
    const grants = new Map<string, Acquire & Held>();
    serve(net, {
      async acquire({ client, number }) {
        const given = grants.get(client);
        const isCurrent = given?.token === holder?.token && now() < end;
        if (given?.number === number && (isCurrent || planted('retryGrantsTwice'))) {
          if (isCurrent) end = now() + LEASE;
          return given.token;
        }
        if (now() < end) return 0;
        const grant = { client, number, token: ++token };
        holder = grant;
        end = now() + LEASE;
        const safe = planted('tokenReset') ? undefined : saved.write(token);
        if (!planted('unsyncedGrant')) await safe;
        // The disk may have been slow.
        if (holder !== grant) return 0;
        grants.set(client, grant);
        end = now() + LEASE;
        return grant.token;
      },
      renew(request) {
        const isCurrent = request.token === holder?.token && now() < end;
        if (!isCurrent && !planted('lateRenewal')) return false;
        end = now() + LEASE;
        return true;
      },
      release(request) {
        if (request.token === holder?.token || planted('releaseByOther')) end = 0;
      },
    });
    await net.listen();
  };
}

function resourceServer(planted: Planted) {
  return async (context: NodeContext) => {
    const net = context.transport(resource);
    const saved = new Saved<Held & { readonly value: string | null }>(context);
    let state = (await saved.read()) ?? { token: 0, value: null };
    const accepts = ({ token }: Held) => token >= state.token || planted('noFencing');
    serve(net, {
      async read({ token }) {
        if (!accepts({ token })) return 'refused';
        state = { token, value: state.value };
        const { value } = state;
        await saved.write(state);
        return { value };
      },
      async write({ token, value }) {
        if (!accepts({ token })) return false;
        state = { token, value };
        await saved.write(state);
        return true;
      },
    });
    await net.listen();
  };
}

/** A client that takes the lock again and again, and changes the resource while it holds it. */
function user(book: Book, planted: Planted) {
  return async (context: NodeContext) => {
    const { name, clock, random } = context;
    const now = timeOf(context, planted);
    const locks = context.transport(lock);
    const resources = context.transport(resource);
    const acquire = async (number: number) => {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const asked = now();
        const token = await locks
          .send('lock', 'acquire', { client: name, number })
          .catch(() => undefined);
        if (token === 0) return undefined;
        if (token !== undefined)
          return { token, end: (planted('leaseFromAnswer') ? now() : asked) + LEASE - MARGIN };
      }
      return undefined;
    };
    const renew = async (token: number) => {
      const asked = now();
      const renewed = await locks.send('lock', 'renew', { token }).catch(() => false);
      if (renewed) return (planted('leaseFromAnswer') ? now() : asked) + LEASE - MARGIN;
      return undefined;
    };
    const change = async (token: number) => {
      const before = await resources
        .send('resource', 'read', { token })
        .catch(() => 'refused' as const);
      if (before === 'refused') return;
      const expected = before.value ?? undefined;
      const value = book.fresh();
      const call = book.changes.call(name, { key: 'x', op: 'cas', expected, value });
      await clock.sleep(20 * random());
      const written = await resources
        .send('resource', 'write', { token, value })
        .catch(() => undefined);
      if (written === undefined) call.unknown();
      else if (written) call.ok(true);
      else call.fail();
    };
    const run = async () => {
      for (let number = book.fresh(); ; number = book.fresh()) {
        await clock.sleep(100 * random());
        const held = await acquire(Number(number));
        if (held === undefined) continue;
        const { token } = held;
        let { end } = held;
        book.taken(name, token, () => now() < end);
        for (let left = Math.floor(4 * random()); left >= 0 && now() < end; left--) {
          await change(token);
          if (end - now() < LEASE / 2) end = (await renew(token)) ?? end;
        }
        end = 0;
        book.sweep();
        await locks.send('lock', 'release', { token }).catch(() => {});
      }
    };
    void run();
  };
}

/** The histories of a run. */
class Book {
  readonly changes: check.History;
  readonly holds: check.ObjectHistory<check.LockCommand, check.LockResult>;
  readonly #sim: Simulation;
  /** The holders according to `holds`, and all clients that have ever held the lock. */
  readonly #held = new Map<string, () => boolean>();
  readonly #users = new Map<string, () => boolean>();
  #last = 0;

  constructor(sim: Simulation) {
    this.#sim = sim;
    this.changes = check.createHistory(sim);
    this.holds = check.createObjectHistory(sim);
  }

  fresh(): string {
    return `${++this.#last}`;
  }

  /** Records that a client has taken the lock, which it has as long as `holds` returns true. */
  taken(client: string, token: number, holds: () => boolean): void {
    // The answer may have come too late.
    if (!holds()) return;
    this.sweep();
    this.holds.call(client, { op: 'acquire' }).ok(token);
    this.#held.set(client, holds);
    this.#users.set(client, holds);
  }

  /** Records a release for each client that has crashed, or whose lease has ended by its clock. */
  sweep(): void {
    for (const [client, holds] of this.#held) {
      if (this.#isHeld(client, holds)) continue;
      this.holds.call(client, { op: 'release' }).ok();
      this.#held.delete(client);
    }
  }

  /** The number of clients that believe they hold the lock. */
  get holders(): number {
    return [...this.#users].filter(([client, holds]) => this.#isHeld(client, holds)).length;
  }

  #isHeld(client: string, holds: () => boolean): boolean {
    return this.#sim.isUp(client) && holds();
  }
}

/** Returns the scenario with the bugs for which `planted` returns true. */
export function lockScenario(planted: Planted) {
  return async (sim: Simulation) => {
    const book = new Book(sim);
    sim.node('lock', lockServer(planted));
    sim.node('resource', resourceServer(planted));
    for (const name of ['a', 'b', 'c']) sim.node(name, user(book, planted));
    sim.always('one holder', () => book.holders <= 1);
    await sim.run(DURATION);
    const held = check.object(book.holds, check.models.lock());
    if (held.linearizable !== true) throw new Error(held.text, { cause: held });
    const changed = check.linearizable(book.changes);
    if (changed.linearizable !== true) throw new Error(changed.text, { cause: changed });
  };
}

function timeOf({ clock }: NodeContext, planted: Planted): () => number {
  return planted('wallClock') ? () => clock.wall() : () => clock.now();
}

const LEASE = 500;
/** Two clocks that each drift by 500 ppm, as much as NTP corrects, differ by 1 ms a second. */
const MARGIN = 1;
/** Attempts of a request for the lock, of 200 ms each. */
const ATTEMPTS = 10;
/** Virtual milliseconds. */
const DURATION = 15_000;
