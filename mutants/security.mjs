// Mutants of identity, mutual TLS and stream-noise; see main.mjs.

export const security = [
  {
    rule: 'The deny list takes precedence over an id that was dialed.',
    file: 'packages/security/src/identity/node-filter.ts',
    from: 'if (this.#deny.has(nodeId)) return',
    to: 'if (this.#deny.has(nodeId) && nodeId !== dialed) return',
    killer: {
      package: 'security',
      file: 'packages/security/src/noise/noise-stream-layer.dialing.test.ts',
      title: 'a peer that the lists do not allow is handed over as refused',
    },
  },
  {
    rule: 'When a node is denied, its live connections are ended.',
    file: 'packages/security/src/identity/node-filter.ts',
    from: 'if (error !== undefined) peer.revoke(error);',
    to: 'if (error !== undefined) this.#live.delete(peer);',
    killer: {
      package: 'security',
      file: 'packages/security/src/noise/transport.test.ts',
      title: 'backends of createTransport are secured by their scheme, each with its own lists',
    },
  },
  {
    rule: 'A nonce is never used twice under one key.',
    file: 'packages/security/src/noise/framework/cipher-state.ts',
    from: 'counter.setUint32(8, n / 0x1_0000_0000, true);',
    to: 'counter.setUint32(8, 0, true);',
    killer: {
      package: 'security',
      file: 'packages/security/src/noise/framework/cipher-state.test.ts',
      title: 'in plain JavaScript: the nonce is a counter of 64 bits, its lowest byte first',
    },
  },
  {
    rule: 'A proof of identity cannot be reflected to the end that made it.',
    file: 'packages/security/src/noise/wire/identity-proof.ts',
    from: "responder: encoder.encode('trunkline-noise-1/responder'),",
    to: "responder: encoder.encode('trunkline-noise-1/initiator'),",
    killer: {
      package: 'security',
      file: 'packages/security/src/noise/wire/identity-proof.test.ts',
      title: 'a proof is valid only for its handshake',
    },
  },
  {
    rule: 'A handshake fails if the other end has a key of low order.',
    file: 'packages/security/src/noise/framework/handshake.ts',
    from: 'return shared !== undefined;',
    to: 'return true;',
    killer: {
      package: 'security',
      file: 'packages/security/src/noise/wire/greeting.test.ts',
      title: 'an ephemeral key of low order is refused',
    },
  },
  {
    rule: 'A stream that was cut off before its end is an error.',
    file: 'packages/security/src/noise/noise-connection.ts',
    from: ": this.#reset('it was truncated: the end of the stream is missing'));",
    to: ': undefined);',
    killer: {
      package: 'security',
      file: 'packages/security/src/noise/noise-connection.ending.test.ts',
      title: 'a stream that ends without an end record is reset, wherever it was cut',
    },
  },
  {
    rule: 'A signature has only one valid form.',
    file: 'packages/security/src/identity/strict-signature.ts',
    from: 'return r > 0n && r < P256_ORDER && s > 0n && s <= P256_HALF;',
    to: 'return r > 0n && r < P256_ORDER && s > 0n && s < P256_ORDER;',
    killer: {
      package: 'security',
      file: 'packages/security/src/identity/strict-signature.test.ts',
      title: 'P-256: a signature with the higher s is refused by both builds',
    },
  },
  {
    rule: 'With an authority, a certificate that the authority did not sign is refused.',
    file: 'packages/transport-core/src/node/tls-remote.ts',
    from: 'if (!hasAuthority && UNSIGNED.has(code)) return undefined;',
    to: 'if (!hasAuthority || UNSIGNED.has(code)) return undefined;',
    killer: {
      package: 'transport-tcp',
      file: 'packages/transport-tcp/src/identity.test.ts',
      title:
        'tls: a certificate of another authority is refused at both ends (presented by a dialer)',
    },
  },
  {
    rule: 'A listener uses a renewed certificate for new connections at once.',
    file: 'packages/transport-core/src/node/mutual-tls.ts',
    from: 'options.cert !== this.#options.cert ||',
    to: '',
    killer: {
      package: 'transport-tcp',
      file: 'packages/transport-tcp/src/identity.test.ts',
      title:
        'tls: an expired certificate does not prevent listen: peers refuse it, and a renewed one is accepted',
    },
  },
  {
    rule: 'A certificate never outlives the certificate of its authority.',
    file: 'packages/security/src/identity/authority.ts',
    from: 'if (notAfter > end)',
    to: 'if (notBefore > end)',
    killer: {
      package: 'security',
      file: 'packages/security/src/identity/authority.test.ts',
      title: 'a certificate ends no later than its authority’s',
    },
  },
  {
    rule: 'A key file that other users can write is refused.',
    file: 'packages/security/src/identity/key-file.ts',
    from: 'if ((mode & 0o066) === 0) return;',
    to: 'if ((mode & 0o044) === 0) return;',
    killer: {
      package: 'security',
      file: 'packages/security/src/identity/key-file.test.ts',
      title: 'a key that others can read or write is not loaded',
    },
  },
  {
    rule: 'A handshake message that announces more than 1,024 bytes is refused before it is buffered.',
    file: 'packages/security/src/noise/wire/greeting.ts',
    from: 'if (length > LONGEST_HANDSHAKE)',
    to: 'if (length > LONGEST_HANDSHAKE * 64)',
    killer: {
      package: 'security',
      file: 'packages/security/src/noise/wire/greeting.refusals.test.ts',
      title: 'a handshake message over 1,024 bytes is refused based on its length',
    },
  },
  {
    rule: 'Without an authority, a node is trusted only if it is allowed or was dialed by its id.',
    file: 'packages/transport-core/src/node/tls-remote.ts',
    from: 'if (hasAuthority || id === this.#expected) return undefined;',
    to: 'if (hasAuthority || this.#expected === undefined) return undefined;',
    killer: {
      package: 'transport-tcp',
      file: 'packages/transport-tcp/src/identity.test.ts',
      title: 'tls: without an authority the dialed id is trusted, or with a list only its members',
    },
  },
];
