// The dialing end of a noise channel, written from docs/wire-noise.md and revision 34 of the Noise
// protocol, on node:crypto.

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  sign,
} from 'node:crypto';
import { concat, text } from './wire.ts';

/** The first bytes that noise writes: "TRKN" and the version. */
export const NOISE_PREAMBLE: Uint8Array = Uint8Array.of(0x54, 0x52, 0x4b, 0x4e, 1);

/**
 * One handshake: write `begin()`, then pass message 2 to `answer` and write the bytes that it
 * returns.
 */
export class NoiseClient {
  readonly #ephemeral = keyPair();
  readonly #static = keyPair();
  readonly #key: string;
  #hash: Uint8Array = text('Noise_XX_25519_ChaChaPoly_SHA256');
  #chain: Uint8Array = this.#hash;
  #cipher: Cipher | undefined;

  /** @param key the private key that proves the client's identity, as PEM. */
  constructor(key: string) {
    this.#key = key;
    this.#mixHash(NOISE_PREAMBLE);
  }

  begin(): Uint8Array {
    this.#mixHash(this.#ephemeral.raw);
    this.#mixHash(new Uint8Array(0));
    return concat(NOISE_PREAMBLE, framed(this.#ephemeral.raw));
  }

  /**
   * Reads message 2 (without its length) and returns message 3 with the ciphers of both directions.
   */
  answer(message: Uint8Array): {
    readonly bytes: Uint8Array;
    readonly send: Cipher;
    readonly receive: Cipher;
  } {
    const theirs = message.subarray(0, 32);
    this.#mixHash(theirs);
    this.#mixKey(this.#ephemeral, theirs);
    const theirStatic = this.#decrypt(message.subarray(32, 80));
    this.#mixKey(this.#ephemeral, theirStatic);
    this.#decrypt(message.subarray(80));
    const own = this.#encrypt(this.#static.raw);
    this.#mixKey(this.#static, theirs);
    const proof = this.#encrypt(this.#proof());
    const [send, receive] = derive(this.#chain, new Uint8Array(0));
    return {
      bytes: framed(concat(own, proof)),
      send: new Cipher(send),
      receive: new Cipher(receive),
    };
  }

  #proof(): Uint8Array {
    const key = createPrivateKey(this.#key);
    const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
    return concat(
      framed(spki),
      framed(
        sign(null, concat(text('trunkline-noise-1/initiator'), this.#hash, this.#static.raw), key),
      ),
    );
  }

  #mixHash(data: Uint8Array): void {
    this.#hash = createHash('sha256').update(this.#hash).update(data).digest();
  }

  #mixKey(own: KeyPair, theirs: Uint8Array): void {
    const publicKey = createPublicKey({
      key: Buffer.concat([SPKI_X25519, theirs]),
      format: 'der',
      type: 'spki',
    });
    const [chain, key] = derive(
      this.#chain,
      diffieHellman({ privateKey: own.privateKey, publicKey }),
    );
    this.#chain = chain;
    this.#cipher = new Cipher(key);
  }

  #encrypt(plaintext: Uint8Array): Uint8Array {
    const sealed = this.#cipher!.seal(plaintext, this.#hash);
    this.#mixHash(sealed);
    return sealed;
  }

  #decrypt(sealed: Uint8Array): Uint8Array {
    const plaintext = this.#cipher!.open(sealed, this.#hash);
    this.#mixHash(sealed);
    return plaintext;
  }
}

/** ChaCha20-Poly1305 with a counter as nonce; records change the key after every 65,536. */
export class Cipher {
  #key: Uint8Array;
  #count = 0;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  seal(plaintext: Uint8Array, associated: Uint8Array = NONE): Uint8Array {
    const cipher = createCipheriv('chacha20-poly1305', this.#key, nonce(this.#count++), {
      authTagLength: TAG,
    });
    cipher.setAAD(associated, { plaintextLength: plaintext.length });
    return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
  }

  open(sealed: Uint8Array, associated: Uint8Array = NONE): Uint8Array {
    const cut = sealed.length - TAG;
    const decipher = createDecipheriv('chacha20-poly1305', this.#key, nonce(this.#count++), {
      authTagLength: TAG,
    });
    decipher.setAAD(associated, { plaintextLength: cut });
    decipher.setAuthTag(sealed.subarray(cut));
    return concat(decipher.update(sealed.subarray(0, cut)), decipher.final());
  }

  /** Seals a record and prefixes its length. */
  record(plaintext: Uint8Array): Uint8Array {
    const record = framed(this.seal(plaintext));
    this.#turn();
    return record;
  }

  /** Opens a record (without its length). */
  read(sealed: Uint8Array): Uint8Array {
    const plaintext = this.open(sealed);
    this.#turn();
    return plaintext;
  }

  #turn(): void {
    if (this.#count % 65_536 !== 0) return;
    const last = new Uint8Array(12).fill(255, 4);
    this.#key = createCipheriv('chacha20-poly1305', this.#key, last, { authTagLength: TAG }).update(
      new Uint8Array(32),
    );
  }
}

interface KeyPair {
  readonly privateKey: ReturnType<typeof createPrivateKey>;
  readonly raw: Uint8Array;
}

function keyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  return {
    privateKey,
    raw: publicKey.export({ type: 'spki', format: 'der' }).subarray(SPKI_X25519.length),
  };
}

function derive(chain: Uint8Array, input: Uint8Array): [Uint8Array, Uint8Array] {
  const secret = createHmac('sha256', chain).update(input).digest();
  const first = createHmac('sha256', secret).update(Uint8Array.of(1)).digest();
  return [first, createHmac('sha256', secret).update(first).update(Uint8Array.of(2)).digest()];
}

function framed(bytes: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(bytes.length >>> 8, bytes.length & 255), bytes);
}

function nonce(count: number): Uint8Array {
  const bytes = Buffer.alloc(12);
  bytes.writeBigUInt64LE(BigInt(count), 4);
  return bytes;
}

const SPKI_X25519 = Buffer.from('302a300506032b656e032100', 'hex');
const TAG = 16;
const NONE = new Uint8Array(0);
