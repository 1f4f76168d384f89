// The codec of methods whose request or response has no content.

import type { Codec } from './codec.ts';
import { kindOf } from './describe.ts';
import { refusal } from './refusal.ts';

/**
 * The codec of no content: `request: empty` or `response: empty`. The value is undefined, so
 * `client.ping()` needs no argument, and a handler returns nothing. It is sent as zero bytes; both
 * ends refuse anything else with `invalid_argument`.
 */
export const empty: Codec<void> = Object.freeze({
  name: 'empty',
  owned: true,
  encode(value: void): Uint8Array {
    if (value === undefined) return NOTHING;
    throw refusal('empty', '', `expected undefined, got ${kindOf(value)}`);
  },
  decode(bytes: Uint8Array): void {
    if (bytes.length > 0)
      throw refusal('empty', '', `expected no content, got ${bytes.length} bytes`);
  },
});

const NOTHING = new Uint8Array(0);
