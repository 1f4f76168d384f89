// The simulated disk of a node: a crash loses data that was not synced.

import { type Random, type Store, TransportError } from '@trunkline/transport-core';
import { option, optionsSchema, parseOptions } from '@trunkline/transport-core/backend';
import { type DelayDistribution, draw, isDelay } from '../kernel/distributions.ts';
import type { EventLoop } from '../kernel/event-loop.ts';
import type { EventOwner } from '../kernel/event-queue.ts';
import type { DiskEntry } from '../kernel/node-report.ts';
import { preview } from '../kernel/preview.ts';
import { checksum, pair, TraceKind } from '../kernel/trace.ts';
import { survivors } from './survivors.ts';

/** Behavior of a disk. */
export interface DiskOptions {
  /**
   * Milliseconds that get, set, delete and keys take, and each call on files other than a sync.
   * Default 0: they resolve within the current instant.
   */
  readonly latency?: DelayDistribution | undefined;
  /** Milliseconds that sync takes, of the store or of a file. Default 1. */
  readonly sync?: DelayDistribution | undefined;
  /**
   * Share of set, delete and sync operations that fail with `unavailable`, from 0 to 1, and of
   * calls on files other than reads, which fail with EIO. A failed operation has no effect. Default
   * 0.
   */
  readonly failure?: number | undefined;
  /**
   * Share of crashes that tear a write: the unsynced changes up to a random one survive, and if
   * that one is a set, only its first bytes do. The rest of the value consists of the bytes of the
   * old value, or of zeros. This breaks the promise of `Store` that a crash never leaves half of a
   * value, so it tests code that adds checksums. Default 0: no unsynced change survives a crash.
   */
  readonly torn?: number | undefined;
  /**
   * Like `torn`, but only for files, whose writes may be torn on real disks, too. Values of the
   * store stay whole. Default 0.
   */
  readonly tornFiles?: number | undefined;
  /**
   * Share of crashes before which unsynced changes were written in another order: each change
   * survives with a probability of one half, independently of the changes before it. Default 0.
   */
  readonly reordered?: number | undefined;
  /**
   * Share of get operations and reads of files that find a flipped bit. The damage stays until the
   * data is written again; damage to synced data survives a crash. Default 0.
   */
  readonly rot?: number | undefined;
  /**
   * Maximum total size, in bytes, of all keys, values and files on the disk. A set that would
   * exceed it fails with `resource_exhausted`, and a write to a file fails with ENOSPC; neither has
   * an effect. Default: no limit.
   */
  readonly capacity?: number | undefined;
  /**
   * If true, the sync of a file also makes all earlier changes of directories durable (files that
   * were created, renamed or removed), as ext4 and XFS do. Default false: such a change is durable
   * when its directory has been synced, which is all that POSIX promises. Applies to files only.
   */
  readonly journal?: boolean | undefined;
}

type Change = readonly [key: string, value: Uint8Array | undefined];

/** The files on a disk; keys and values are separate. */
export interface DiskFiles {
  /** The number of bytes in all files. */
  readonly bytes: number;
  /**
   * Loses all changes that were not synced, except those that survive according to the settings.
   */
  crash(): void;
}

/** A disk, which lasts through all lives of its node. */
export class Disk {
  settings: Readonly<Required<DiskOptions>>;
  readonly random: Random;
  /** The files; undefined until code of the node asks for its file system. */
  files: DiskFiles | undefined;
  readonly #own: Readonly<Required<DiskOptions>>;
  readonly #safe = new Map<string, Uint8Array>();
  #content = new Map<string, Uint8Array>();
  /** Changes that have not been synced yet, in order. */
  #unsafe: Change[] = [];

  constructor(options: DiskOptions, random: Random) {
    this.random = random;
    this.settings = this.#own = complete(options);
  }

  /** Restores the original settings. */
  mend(): void {
    this.settings = this.#own;
  }

  /** Replaces the settings; options that are left out get their defaults. */
  configure(options: DiskOptions): void {
    this.settings = complete(options);
  }

  get(key: string): Uint8Array | undefined {
    const value = this.#content.get(key);
    const { rot } = this.settings;
    if (value === undefined || value.length === 0 || rot === 0 || this.random() >= rot)
      return value;
    const bit = Math.floor(this.random() * value.length * 8);
    const rotten = value.slice();
    rotten[bit >> 3]! ^= 1 << (bit & 7);
    this.#content.set(key, rotten);
    // Only data that has been written to the disk can decay there.
    if (this.#safe.get(key) === value) this.#safe.set(key, rotten);
    return rotten;
  }

  /** Returns true if a value fits on the disk in addition to everything else. */
  hasRoomFor(key: string, value: Uint8Array): boolean {
    const old = this.#content.get(key);
    const replaced = old === undefined ? 0 : key.length + old.length;
    return this.hasRoom(key.length + value.length - replaced);
  }

  /** Returns true if that many more bytes fit on the disk. */
  hasRoom(more: number): boolean {
    const { capacity } = this.settings;
    if (capacity === Number.POSITIVE_INFINITY || more <= 0) return true;
    let bytes = this.files?.bytes ?? 0;
    for (const [key, value] of this.#content) bytes += key.length + value.length;
    return bytes + more <= capacity;
  }

  keys(): string[] {
    return [...this.#content.keys()];
  }

  change(key: string, value: Uint8Array | undefined): void {
    apply(this.#content, [key, value]);
    this.#unsafe.push([key, value]);
  }

  /**
   * Reports the content. Unlike `get`, this does not count as a read, which may find a flipped bit.
   */
  report(): {
    readonly disk: readonly DiskEntry[];
    readonly moreOnDisk: number;
    readonly unsynced: number;
  } {
    const entries = [...this.#content].slice(0, ENTRIES).map(
      ([key, value]): DiskEntry => ({
        key,
        size: value.length,
        value: preview(value),
        synced: this.#safe.get(key) === value,
      }),
    );
    return {
      disk: entries,
      moreOnDisk: this.#content.size - entries.length,
      unsynced: this.#unsafe.length,
    };
  }

  /** Number of changes that have not been synced yet. */
  get pending(): number {
    return this.#unsafe.length;
  }

  /** Makes the first `count` unsynced changes durable. */
  sync(count: number): void {
    for (const change of this.#unsafe.splice(0, count)) apply(this.#safe, change);
  }

  /**
   * Loses all changes that were not synced, as a crash of the machine does, except those that
   * survive because of `torn` and `reordered`.
   */
  crash(): void {
    const changes = survivors(this.#unsafe, this.settings, this.random, (change, before) =>
      this.#torn(change, before),
    );
    for (const change of changes) apply(this.#safe, change);
    this.#content = new Map(this.#safe);
    this.#unsafe = [];
    this.files?.crash();
  }

  #torn([key, value]: Change, before: readonly Change[]): Change {
    if (value === undefined) return [key, undefined];
    const old = before.findLast((change) => change[0] === key)?.[1] ?? this.#safe.get(key) ?? EMPTY;
    const written = Math.floor(this.random() * value.length);
    const mixed = new Uint8Array(value.length);
    mixed.set(old.subarray(0, value.length));
    mixed.set(value.subarray(0, written));
    return [key, mixed];
  }
}

/** An operation of a store, with the details for its trace and its delay. */
interface StoreOperation {
  readonly what: string;
  readonly key?: string;
  readonly bytes?: Uint8Array | undefined;
  readonly latency: DelayDistribution;
  /** The kind of error with which it fails; undefined if it succeeds. */
  readonly fails?: 'failure' | 'full' | undefined;
}

/** The store of one incarnation of a node. It copies bytes on their way in and out. */
export class NodeStore implements Store {
  /** Number of operations that have not completed yet. */
  pending = 0;
  readonly #loop: EventLoop;
  readonly #owner: EventOwner;
  readonly #disk: Disk;
  /**
   * Number of changes that this incarnation has synced. Syncs may overlap, so each sync makes only
   * those changes durable that earlier syncs have not.
   */
  #synced = 0;

  constructor(loop: EventLoop, owner: EventOwner, disk: Disk) {
    this.#loop = loop;
    this.#owner = owner;
    this.#disk = disk;
  }

  get(key: string): Promise<Uint8Array | undefined> {
    const { latency } = this.#disk.settings;
    return this.#do({ what: 'store.get', key, latency }, () => this.#disk.get(key)?.slice());
  }

  set(key: string, value: Uint8Array): Promise<void> {
    const copy = new Uint8Array(value); // `slice` of a Buffer returns a view.
    return this.#change('store.set', key, copy);
  }

  delete(key: string): Promise<void> {
    return this.#change('store.delete', key, undefined);
  }

  keys(): Promise<string[]> {
    const { latency } = this.#disk.settings;
    return this.#do({ what: 'store.keys', latency }, () => this.#disk.keys());
  }

  sync(): Promise<void> {
    const upTo = this.#synced + this.#disk.pending;
    const { sync: latency } = this.#disk.settings;
    return this.#do({ what: 'store.sync', latency, fails: this.#fails() }, () => {
      const count = upTo - this.#synced;
      if (count <= 0) return;
      this.#disk.sync(count);
      this.#synced = upTo;
    });
  }

  /** Applies a change immediately, so that the next read shows it. Only a sync makes it durable. */
  #change(what: string, key: string, value: Uint8Array | undefined): Promise<void> {
    const { latency } = this.#disk.settings;
    const isFull = value !== undefined && !this.#disk.hasRoomFor(key, value);
    const fails = this.#fails() ?? (isFull ? 'full' : undefined);
    if (fails === undefined && this.#owner.alive) this.#disk.change(key, value);
    return this.#do({ what, key, bytes: value, latency, fails }, () => {});
  }

  #fails(): 'failure' | undefined {
    const { failure } = this.#disk.settings;
    return failure > 0 && this.#disk.random() < failure ? 'failure' : undefined;
  }

  /** Performs an operation after its latency, unless it fails or the node crashes meanwhile. */
  #do<T>(
    { what, key = '', bytes = EMPTY, latency, fails }: StoreOperation,
    act: () => T,
  ): Promise<T> {
    const loop = this.#loop;
    const { name, number, alive } = this.#owner;
    return new Promise((resolve, reject) => {
      if (!alive) return;
      this.pending++;
      const done = () => {
        this.pending--;
        const check = checksum(bytes) ^ checksum(encoder.encode(key));
        const { trace } = loop;
        trace.record(TraceKind.stored, pair(number, 0), trace.number(what), bytes.length, check);
        const call = `${what}(${key === '' ? '' : `'${key}'`})`;
        if (fails === 'failure')
          reject(new TransportError('unavailable', `${call}: the disk of ${name} failed`));
        else if (fails === 'full')
          reject(
            new TransportError(
              'resource_exhausted',
              `${call}: the disk of ${name} is full: it holds ${this.#disk.settings.capacity} bytes`,
            ),
          );
        else resolve(act());
      };
      const delay = draw(latency, this.#disk.random);
      loop.touch();
      // An operation without delay completes within the current event.
      if (delay === 0) done();
      else loop.schedule(delay, 'store', this.#owner, done);
    });
  }
}

/**
 * Checks the options of a disk.
 *
 * @throws TypeError that names the invalid option.
 */
export function checkDisk(options: DiskOptions, name: string): void {
  parseOptions(schema, options, name);
}

function complete(options: DiskOptions): Required<DiskOptions> {
  const {
    latency = 0,
    sync = 1,
    failure = 0,
    torn = 0,
    tornFiles = 0,
    reordered = 0,
    rot = 0,
    capacity = Number.POSITIVE_INFINITY,
    journal = false,
  } = parseOptions(schema, options, 'disk');
  return { latency, sync, failure, torn, tornFiles, reordered, rot, capacity, journal };
}

const share = () =>
  option.optional(
    option.reference<number>(
      (value) => typeof value === 'number' && value >= 0 && value <= 1,
      'a share from 0 to 1',
    ),
  );

const delay = () =>
  option.optional(
    option.reference<DelayDistribution>(isDelay, 'milliseconds, or a distribution of them'),
  );

const schema = optionsSchema({
  latency: delay(),
  sync: delay(),
  failure: share(),
  torn: share(),
  tornFiles: share(),
  reordered: share(),
  rot: share(),
  capacity: option.optional(
    option.reference<number>(
      (value) => typeof value === 'number' && value >= 0,
      'a number of bytes, or Infinity',
    ),
  ),
  journal: option.optional(
    option.reference<boolean>((value) => typeof value === 'boolean', 'true or false'),
  ),
});

function apply(content: Map<string, Uint8Array>, [key, value]: Change): void {
  if (value === undefined) content.delete(key);
  else content.set(key, value);
}

/** Maximum number of entries in a report. */
const ENTRIES = 100;
const EMPTY = new Uint8Array(0);
const encoder = new TextEncoder();
