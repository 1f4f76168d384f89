// The certificate of an authority that was kept in a file.

import type { Name } from '@peculiar/x509';
import { TransportError } from '@trunkline/transport-core';
import { equalBytes } from './bytes.ts';
import type { Identity } from './identity.ts';
import { loadX509 } from './load-x509.ts';
import { nodeIdOf } from './node-id.ts';
import { encodePem, pemBlocks } from './pem.ts';

export interface AuthorityCertificate {
  /** The certificate alone. */
  readonly pem: string;
  readonly name: Name;
  /** Hex; OpenSSL's is another than ours, and may be left out. */
  readonly keyId: string | undefined;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
}

/** `invalid_argument` if it is not `identity`'s own certificate as an authority. Its signature is not checked: it is your own file. */
export async function readAuthorityCertificate(text: string, identity: Identity): Promise<AuthorityCertificate> {
  const [block, ...others] = pemBlocks(text);
  if (block?.label !== 'CERTIFICATE' || others.length > 0) throw wrong(`has ${found(text)}`, "give one 'CERTIFICATE', in PEM");
  if (block.bytes === undefined) throw wrong('is cut off or not base64', 'take a whole copy of it');
  const x509 = await loadX509();
  const { bytes } = block;
  const certificate = read(() => new x509.X509Certificate(bytes));
  const nodeId = read(() => nodeIdOf(text)); // Stricter than the library, which passes over bytes at the end.
  if (nodeId !== identity.nodeId) throw wrong(`is of the key ${nodeId}, and the key given is ${identity.nodeId}`, 'give the two that belong together');
  const usages = certificate.getExtension(x509.KeyUsagesExtension)?.usages ?? x509.KeyUsageFlags.keyCertSign;
  const isAuthority = certificate.getExtension(x509.BasicConstraintsExtension)?.ca === true && (usages & x509.KeyUsageFlags.keyCertSign) !== 0;
  if (!isAuthority) throw wrong("is a node's: it may sign no others", 'give the one that createAuthority made');
  const { subjectName, issuerName, notAfter } = certificate;
  if (!equalBytes(new Uint8Array(subjectName.toArrayBuffer()), new Uint8Array(issuerName.toArrayBuffer()))) {
    throw wrong(`is signed by another authority (${issuerName})`, 'give one that signed itself: nodes would not trust it alone');
  }
  const keyId = certificate.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  return { pem: encodePem('CERTIFICATE', block.bytes), name: subjectName, keyId, notAfter: notAfter.getTime() };
}

/** What the library can't read is damaged. */
function read<T>(from: () => T): T {
  try {
    return from();
  } catch (error) {
    throw wrong('is damaged', 'take another copy of it', error);
  }
}

function found(text: string): string {
  const labels = pemBlocks(text).map(({ label }) => `'${label}'`);
  return labels.length === 0 ? "no PEM ('-----BEGIN CERTIFICATE-----')" : labels.join(', ');
}

function wrong(problem: string, remedy: string, cause?: unknown): TransportError {
  return new TransportError('invalid_argument', `openAuthority: cert ${problem}: ${remedy}`, { cause });
}
