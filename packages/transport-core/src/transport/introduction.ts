// The identity that a transport presents to every peer.

import { type Random, randomBytes } from '../random.ts';
import type { Membership } from '../stream/membership.ts';
import type { StreamLayer } from '../stream/stream-layer.ts';
import { HELLO_TEXT_LIMIT, type Introduction } from '../wire/hello.ts';
import { utf8Length } from '../wire/metadata.ts';
import { checkAdvertised } from './scheme-layer.ts';

/** The parts of a transport that determine its identity and may change while it runs. */
export interface Introduced {
  readonly layer: StreamLayer;
  readonly listening: boolean;
  readonly membership: Membership | undefined;
}

/**
 * Returns the identity for a peer that proves no id: the same, but without the node id if the
 * membership does not assert it.
 */
export function introduceUnproven(self: Introduction, engine: Introduced): Introduction {
  return {
    instance: self.instance,
    network: self.network,
    get nodeId() {
      return engine.membership?.asserts === false ? '' : self.nodeId;
    },
    get addr() {
      return self.addr;
    },
  };
}

/** The identity of a transport. Its address may be replaced while the transport runs. */
export class SelfIntroduction implements Introduction {
  readonly instance: string;
  readonly network: string;
  readonly #engine: Introduced;
  #advertised: string | undefined = undefined;

  /** Creates an identity with a new random instance id. */
  constructor(engine: Introduced, network: string, random: Random) {
    this.instance = Array.from(randomBytes(random, 16), (byte) =>
      byte.toString(16).padStart(2, '0'),
    ).join('');
    this.network = network;
    this.#engine = engine;
  }

  get nodeId(): string {
    return this.#engine.membership?.nodeId ?? '';
  }

  get addr(): string {
    if (!this.#engine.listening) return '';
    try {
      return this.advertiseAddr();
    } catch {
      // The listener has failed and has not been restarted yet.
      return '';
    }
  }

  advertiseAddr(): string {
    return this.#advertised ?? this.#engine.layer.advertiseAddr();
  }

  /**
   * Replaces the address; undefined restores the layer's own. Returns true if that changes it.
   *
   * @throws TypeError for an address that can't be dialed or sent.
   */
  advertise(addresses: string | readonly string[] | undefined): boolean {
    const given = typeof addresses === 'string' ? addresses.split(',') : (addresses ?? []);
    const list = given.map((address) => address.trim());
    for (const address of list) {
      if (address === '') throw new TypeError('advertise: an address is empty');
      checkAdvertised(this.#engine.layer, address, 'advertise');
    }
    const advertised = list.join(',');
    if (utf8Length(advertised) > HELLO_TEXT_LIMIT)
      throw new TypeError(
        `advertise: ${utf8Length(advertised)} bytes of addresses; at most ${HELLO_TEXT_LIMIT}`,
      );
    const before = this.addr;
    this.#advertised = advertised === '' ? undefined : advertised;
    return this.addr !== before;
  }
}
