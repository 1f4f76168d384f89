// Reads and checks the certificate of a saved authority.

import type { Name } from '@peculiar/x509';
import { TransportError } from '@trunkline/transport-core';
import { equalBytes } from './bytes.ts';
import type { Identity } from './identity.ts';
import { loadX509 } from './load-x509.ts';
import { nodeIdOf } from './node-id.ts';
import { encodePem, pemBlocks } from './pem.ts';

/** The parts of an authority's certificate that issuing needs. */
export interface AuthorityCertificate {
  /** The certificate alone, PEM. */
  readonly pem: string;
  readonly name: Name;
  /** The key identifier, in hex. OpenSSL derives it in a different way, or omits it. */
  readonly keyId: string | undefined;
  /** The end of the certificate's validity, in milliseconds since 1970. */
  readonly notAfter: number;
}

/**
 * Reads a certificate for `openAuthority`, which all errors name. Rejects with `invalid_argument`
 * unless it is `identity`'s own certificate as an authority. Its signature and its dates are not
 * checked, because it comes from your own file; `issue` checks `notAfter`.
 */
export async function readAuthorityCertificate(
  text: string,
  identity: Identity,
): Promise<AuthorityCertificate> {
  const [block, ...others] = pemBlocks(text);
  if (block?.label !== 'CERTIFICATE' || others.length > 0)
    throw wrong(`has ${found(text)}`, "give one 'CERTIFICATE', in PEM");
  if (block.bytes === undefined)
    throw wrong('is cut off or not base64', 'use a complete copy of it');
  const x509 = await loadX509();
  const { bytes } = block;
  const certificate = read(() => new x509.X509Certificate(bytes));
  // This check is stricter than the library, which ignores trailing bytes.
  const nodeId = read(() => nodeIdOf(text));
  if (nodeId !== identity.nodeId)
    throw wrong(
      `belongs to the key ${nodeId}, but the given key is ${identity.nodeId}`,
      'give a key and a certificate that belong together',
    );
  const usages =
    certificate.getExtension(x509.KeyUsagesExtension)?.usages ?? x509.KeyUsageFlags.keyCertSign;
  const isAuthority =
    certificate.getExtension(x509.BasicConstraintsExtension)?.ca === true &&
    (usages & x509.KeyUsageFlags.keyCertSign) !== 0;
  if (!isAuthority)
    throw wrong(
      'is the certificate of a node, which may not sign others',
      'give the one that createAuthority made',
    );
  const { subjectName, issuerName, notAfter } = certificate;
  if (
    !equalBytes(
      new Uint8Array(subjectName.toArrayBuffer()),
      new Uint8Array(issuerName.toArrayBuffer()),
    )
  ) {
    throw wrong(
      `is signed by another authority (${issuerName})`,
      'give a self-signed one, because nodes would not trust this one alone',
    );
  }
  const keyId = certificate.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  return {
    pem: encodePem('CERTIFICATE', block.bytes),
    name: subjectName,
    keyId,
    notAfter: notAfter.getTime(),
  };
}

/** Reports any error of `from` as a damaged certificate. */
function read<T>(from: () => T): T {
  try {
    return from();
  } catch (error) {
    throw wrong('is damaged', 'use another copy of it', error);
  }
}

function found(text: string): string {
  const labels = pemBlocks(text).map(({ label }) => `'${label}'`);
  return labels.length === 0 ? "no PEM ('-----BEGIN CERTIFICATE-----')" : labels.join(', ');
}

function wrong(problem: string, remedy: string, cause?: unknown): TransportError {
  return new TransportError('invalid_argument', `openAuthority: cert ${problem}: ${remedy}`, {
    cause,
  });
}
