// Two keys that never change. Everything except the secrets was made with OpenSSL 3.0:
//
//     openssl pkey -in key.pem -pubout -outform DER | sha256sum

import type { IdentityKeyType } from '../public-key.ts';

export interface Golden {
  secret: Uint8Array;
  /** The private key, PKCS#8. */
  pem: string;
  /** The public key, DER in hex. */
  spki: string;
  nodeId: string;
}

export const GOLDEN: Record<IdentityKeyType, Golden> = {
  ed25519: {
    secret: Uint8Array.from({ length: 32 }, (_, i) => i),
    pem: '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n-----END PRIVATE KEY-----\n',
    spki: '302a300506032b657003210003a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8',
    nodeId: 'a050837d85070582ccf7394b0988847cc312cb88259b894899f6f239cf1791a5',
  },
  p256: {
    secret: Uint8Array.from({ length: 32 }, (_, i) => i + 1),
    pem: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAQIDBAUGBwgJCgsM
DQ4PEBESExQVFhcYGRobHB0eHyChRANCAARRXD1uueOWuQTT/sp/VP3NDMHpl783
XcpRWtCmw7QDX0U2vjpQ8xj7+aVHWQKiIVAr7w1X4IxTsswKVvF9n5NU
-----END PRIVATE KEY-----
`,
    spki: '3059301306072a8648ce3d020106082a8648ce3d03010703420004515c3d6eb9e396b904d3feca7f54fdcd0cc1e997bf375dca515ad0a6c3b4035f4536be3a50f318fbf9a5475902a221502bef0d57e08c53b2cc0a56f17d9f9354',
    nodeId: 'f1d59449b727165de732bf283338122b99628a615918fedc67d878fffcf47da7',
  },
};
