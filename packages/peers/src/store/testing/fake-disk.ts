// A disk in memory that fails or stops at any step, and that loses unsynced changes when the power
// fails.

import { dirname } from 'node:path';
import type { FileDisk } from '@trunkline/transport-core/node';

/** The error of an operation on a disk that has stopped. */
export class Stopped extends Error {}

type Names = Map<string, Uint8Array>;
type Change = (names: Names) => void;

/** A failure to inject. */
export interface Trouble {
  /** The index of the operation that fails, from 0. */
  readonly step: number;
  /**
   * The code of an error that is thrown once, or 'stop': this operation and all later ones fail.
   * In both cases, a file that is being written keeps its first half.
   */
  readonly what: string | 'stop';
}

/** A simulated disk. `steps` counts its operations; `done` lists them, until the disk stops. */
export class FakeDisk implements FileDisk {
  steps = 0;
  readonly done: string[] = [];
  /** The error code with which the creation of links fails, if set. */
  noLinks: string | undefined = undefined;
  #names: Names;
  #safe: Names;
  /** Changes of names that no sync of the folder has made durable yet. */
  #unsafe: Change[] = [];
  #trouble: Trouble | undefined = undefined;

  constructor(names: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.#names = new Map(names);
    this.#safe = new Map(names);
  }

  /** Sets the failure to inject. Its step is counted from the next operation. */
  befall(trouble: Trouble | undefined): void {
    this.steps = 0;
    this.done.length = 0;
    this.#trouble = trouble;
  }

  get names(): ReadonlyMap<string, Uint8Array> {
    return this.#names;
  }

  /**
   * Yields every state that the disk may have if the power fails now: any subset of the changes
   * that are not durable may have been written.
   */
  *afterPowerLoss(): Iterable<FakeDisk> {
    for (let set = 0; set < 2 ** this.#unsafe.length; set++) {
      const names = new Map(this.#safe);
      for (const [i, change] of this.#unsafe.entries()) if ((set >> i) & 1) change(names);
      yield new FakeDisk(names);
    }
  }

  async read(path: string, onSize: (size: number) => void): Promise<Uint8Array> {
    this.#step('read', path);
    const bytes = this.#get(path);
    onSize(bytes.length);
    return bytes;
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    if (this.#names.has(path)) throw failure('EEXIST', path);
    try {
      this.#step('write', path);
    } catch (error) {
      this.#change((names) => names.set(path, bytes.slice(0, bytes.length / 2)));
      throw error;
    }
    this.#change((names) => names.set(path, bytes.slice()));
  }

  async link(from: string, to: string): Promise<void> {
    this.#step('link', to);
    if (this.noLinks !== undefined) throw failure(this.noLinks, to);
    const bytes = this.#get(from);
    if (this.#names.has(to)) throw failure('EEXIST', to);
    this.#change((names) => names.set(to, bytes));
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step('rename', to);
    const bytes = this.#get(from);
    this.#change((names) => {
      names.set(to, bytes);
      names.delete(from);
    });
  }

  async unlink(path: string): Promise<void> {
    this.#step('unlink', path);
    this.#get(path);
    this.#change((names) => names.delete(path));
  }

  /** Folders are not stored: every folder that a path names exists. */
  async makeFolder(path: string): Promise<void> {
    this.#step('mkdir', path);
  }

  async list(folder: string): Promise<string[]> {
    this.#step('list', folder);
    return [...this.#names.keys()]
      .filter((path) => dirname(path) === folder)
      .map((path) => path.slice(folder.length + 1));
  }

  async syncFolderOf(path: string): Promise<void> {
    this.#step('sync', path);
    this.#safe = new Map(this.#names);
    this.#unsafe = [];
  }

  #change(change: Change): void {
    change(this.#names);
    this.#unsafe.push(change);
  }

  #get(path: string): Uint8Array {
    const bytes = this.#names.get(path);
    if (bytes === undefined) throw failure('ENOENT', path);
    return bytes;
  }

  #step(what: string, path: string): void {
    const trouble = this.#trouble;
    const step = this.steps++;
    // After the stop, every operation fails.
    if (trouble?.what === 'stop' && step > trouble.step) throw new Stopped();
    this.done.push(`${what} ${path}`);
    if (trouble?.step !== step) return;
    throw trouble.what === 'stop' ? new Stopped() : failure(trouble.what, path);
  }
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
