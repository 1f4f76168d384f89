// ClientHellos of TLS 1.3 (RFC 8446), written by hand, with extensions that are odd, forged or
// broken.

import { randomBytes } from 'node:crypto';
import { concat, repeat, text } from './wire.ts';

/** Returns an extension with its length. */
const extension = (type: number, body: Uint8Array) => concat(word(type), sized(2, body));
const word = (value: number) => Uint8Array.of(value >> 8, value & 255);

/** Prefixes `body` with its length, in `width` bytes. */
function sized(width: number, body: Uint8Array): Uint8Array {
  const length = Uint8Array.from(
    { length: width },
    (_, at) => body.length >> (8 * (width - 1 - at)),
  );
  return concat(length, body);
}

const share = (group: number, key: Uint8Array) => concat(word(group), sized(2, key));
const VERSIONS = extension(0x2b, Uint8Array.of(2, 3, 4));
const GROUPS = extension(0x0a, sized(2, word(0x1d)));
const SIGNATURES = extension(0x0d, sized(2, Uint8Array.of(8, 7, 4, 3, 8, 4)));
const SHARES = extension(0x33, sized(2, share(0x1d, randomBytes(32))));
const USUAL = [VERSIONS, GROUPS, SIGNATURES, SHARES];
const PSK_MODES = extension(0x2d, Uint8Array.of(1, 1));

/** Returns the records of a ClientHello with these extensions. */
function clientHello(...extensions: readonly Uint8Array[]): Uint8Array {
  return records(message(concat(...extensions)));
}

function message(extensions: Uint8Array, length = extensions.length): Uint8Array {
  const body = concat(
    Uint8Array.of(3, 3),
    randomBytes(32),
    sized(1, randomBytes(32)),
    sized(2, Uint8Array.of(0x13, 1, 0x13, 2, 0x13, 3)),
    Uint8Array.of(1, 0),
    word(length & 0xffff),
    extensions,
  );
  return concat(Uint8Array.of(1), sized(3, body));
}

/** Cuts a message into records of at most `most` bytes. */
function records(bytes: Uint8Array, most = 16_384): Uint8Array {
  const all: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += most)
    all.push(concat(Uint8Array.of(0x16, 3, 1), sized(2, bytes.subarray(at, at + most))));
  return concat(...all);
}

/** A forged ticket that claims to continue an earlier session, with a forged binder. */
const psk = (count: number) =>
  extension(
    0x29,
    concat(
      sized(2, repeat(concat(sized(2, randomBytes(64)), randomBytes(4)), count)),
      sized(2, repeat(sized(1, randomBytes(32)), count)),
    ),
  );

const many = (count: number, make: (at: number) => Uint8Array) =>
  concat(...Array.from({ length: count }, (_, at) => make(at)));

/** The oddity of each hello, and the bytes to send. */
export const HELLOS: readonly (readonly [string, readonly Uint8Array[]])[] = [
  ['usual extensions', [clientHello(...USUAL)]],
  ['no extensions', [clientHello()]],
  [
    '60 KiB of unknown extensions',
    [clientHello(...USUAL, extension(0xabcd, new Uint8Array(61_000)))],
  ],
  [
    '1,000 unknown extensions',
    [
      clientHello(
        ...USUAL,
        many(1_000, (at) => extension(0x4000 + at, text('x'))),
      ),
    ],
  ],
  ['an extension twice', [clientHello(...USUAL, GROUPS)]],
  [
    'a server name of 60 KiB',
    [
      clientHello(
        ...USUAL,
        extension(
          0,
          sized(2, concat(Uint8Array.of(0), sized(2, new Uint8Array(60_000).fill(0x61)))),
        ),
      ),
    ],
  ],
  [
    'a server name with control characters',
    [
      clientHello(
        ...USUAL,
        extension(0, sized(2, concat(Uint8Array.of(0), sized(2, text('a\n\u001b[31m\u0000b'))))),
      ),
    ],
  ],
  [
    '10,000 application protocols',
    [
      clientHello(
        ...USUAL,
        extension(
          0x10,
          sized(
            2,
            many(10_000, () => sized(1, text('h2'))),
          ),
        ),
      ),
    ],
  ],
  ['a forged session', [clientHello(...USUAL, PSK_MODES, psk(1))]],
  ['500 forged sessions', [clientHello(...USUAL, PSK_MODES, psk(500))]],
  ['a forged session that is not last', [clientHello(psk(1), ...USUAL, PSK_MODES)]],
  [
    'early data',
    [
      concat(
        clientHello(...USUAL, PSK_MODES, extension(0x2a, new Uint8Array(0)), psk(1)),
        repeat(concat(Uint8Array.of(0x17, 3, 3), sized(2, randomBytes(16_000))), 20),
      ),
    ],
  ],
  [
    '1,000 key shares',
    [
      clientHello(
        VERSIONS,
        GROUPS,
        SIGNATURES,
        extension(
          0x33,
          sized(
            2,
            many(1_000, () => share(0x1d, randomBytes(32))),
          ),
        ),
      ),
    ],
  ],
  [
    'no key share, again and again',
    [
      repeat(
        clientHello(VERSIONS, GROUPS, SIGNATURES, extension(0x33, sized(2, new Uint8Array(0)))),
        50,
      ),
    ],
  ],
  [
    'a key share of zeros',
    [
      clientHello(
        VERSIONS,
        GROUPS,
        SIGNATURES,
        extension(0x33, sized(2, share(0x1d, new Uint8Array(32)))),
      ),
    ],
  ],
  [
    'a key share that is short',
    [
      clientHello(
        VERSIONS,
        GROUPS,
        SIGNATURES,
        extension(0x33, sized(2, share(0x1d, new Uint8Array(3)))),
      ),
    ],
  ],
  [
    'unknown groups',
    [
      clientHello(
        VERSIONS,
        extension(0x0a, sized(2, repeat(word(0x7a7a), 5_000))),
        SIGNATURES,
        SHARES,
      ),
    ],
  ],
  [
    'unknown signatures',
    [clientHello(VERSIONS, GROUPS, extension(0x0d, sized(2, repeat(word(0x7a7a), 5_000))), SHARES)],
  ],
  [
    'versions of the future',
    [clientHello(extension(0x2b, sized(1, repeat(word(0x0305), 120))), GROUPS, SIGNATURES, SHARES)],
  ],
  ['an old version', [clientHello(GROUPS, SIGNATURES)]],
  [
    'a heartbeat',
    [
      concat(
        clientHello(...USUAL, extension(0x0f, Uint8Array.of(1))),
        Uint8Array.of(0x18, 3, 3, 0, 3, 1, 0xff, 0xff),
      ),
    ],
  ],
  [
    'tiny fragments',
    [clientHello(...USUAL, extension(1, Uint8Array.of(1)), extension(0x1c, word(64)))],
  ],
  [
    'compressed certificates',
    [clientHello(...USUAL, extension(0x1b, sized(1, Uint8Array.of(0, 1, 0, 2, 0, 3))))],
  ],
  ['an encrypted hello', [clientHello(...USUAL, extension(0xfe0d, randomBytes(2_000)))]],
  ['a forged cookie', [clientHello(...USUAL, extension(0x2c, sized(2, randomBytes(2_000))))]],
  ['a renegotiation', [clientHello(...USUAL, extension(0xff01, sized(1, randomBytes(12))))]],
  [
    'a request for 1,000 statuses',
    [
      clientHello(
        ...USUAL,
        extension(5, concat(Uint8Array.of(1), sized(2, new Uint8Array(4_000)), word(0))),
      ),
    ],
  ],
  ['extensions that are longer than the message', [records(message(concat(...USUAL), 60_000))]],
  ['extensions that are shorter than announced', [records(message(concat(...USUAL), 8))]],
  [
    'an extension that is longer than all',
    [clientHello(...USUAL, concat(word(0x10), word(0xffff)))],
  ],
  ['records of one byte', [records(message(concat(...USUAL)), 1)]],
  ['200 KiB announced', [records(concat(Uint8Array.of(1, 3, 0, 0), new Uint8Array(200_000)))]],
  ['1,000 empty records', [repeat(Uint8Array.of(0x16, 3, 1, 0, 0), 1_000)]],
  [
    '1,000 changes of the cipher',
    [concat(clientHello(...USUAL), repeat(Uint8Array.of(0x14, 3, 3, 0, 1, 1), 1_000))],
  ],
  [
    '1,000 warnings',
    [concat(clientHello(...USUAL), repeat(Uint8Array.of(0x15, 3, 3, 0, 2, 1, 90), 1_000))],
  ],
  ['a record of 64 KiB', [concat(Uint8Array.of(0x16, 3, 1, 0xff, 0xff), new Uint8Array(65_535))]],
];
