// The Remote of a live connection, as users see it. The connection itself stays private.

import { spelled } from '../address.ts';
import type { Remote } from '../remote.ts';
import { cleanText } from '../text.ts';
import type { Hello } from '../wire/hello.ts';

/** The key of a Remote's attachment; shared by all copies of this package. */
const ATTACHMENT: symbol = Symbol.for('trunkline.attachment');

/** The connection behind a Remote. */
export interface RemoteLink {
  readonly id: string;
  readonly endpoint: string;
  readonly direction: 'in' | 'out';
  readonly over: boolean;
  readonly rtt: number | undefined;
  readonly silence: number;
  readonly attachment?: object | undefined;
}

/** The Remote of a live connection. */
export class LiveRemote implements Remote {
  readonly id: string;
  readonly endpoint: string;
  readonly direction: 'in' | 'out';
  addr: string | undefined;
  readonly nodeId: string | undefined;
  readonly instance: string;
  readonly hello: Readonly<Record<string, string>>;
  readonly #link: RemoteLink;

  constructor(link: RemoteLink, nodeId: string | undefined, hello: Hello) {
    this.#link = link;
    this.id = link.id;
    this.endpoint = link.endpoint;
    this.direction = link.direction;
    this.nodeId = nodeId;
    this.addr = hello.addr === '' ? undefined : spelledAddresses(hello.addr);
    this.instance = hello.instance;
    this.hello = Object.freeze(hello.fields);
  }

  /** Replaces the address unless `addr` is empty. Returns true if that changes it. */
  move(addr: string): boolean {
    const before = this.addr;
    if (addr !== '') this.addr = spelledAddresses(addr);
    return this.addr !== before;
  }

  get closed(): boolean {
    return this.#link.over;
  }

  get rtt(): number | undefined {
    return this.#link.rtt;
  }

  get silence(): number {
    return this.#link.silence;
  }

  /** @internal */
  get [ATTACHMENT as never](): object | undefined {
    return this.#link.attachment;
  }

  /** Returns the link behind a Remote; undefined if another copy of the package made the Remote. */
  static linkOf(remote: Remote): RemoteLink | undefined {
    return #link in remote ? (remote as LiveRemote).#link : undefined;
  }
}

/**
 * Returns the `attachment` of a Remote's connection, for backends that keep something about each
 * connection: for example what `ws()` learned from the HTTP upgrade.
 */
export function attachmentOf(remote: Remote): object | undefined {
  return remote[ATTACHMENT as never];
}

function spelledAddresses(addr: string): string {
  return cleanText(addr).split(',').map(spelled).join();
}
