// Self-signed certificates, for networks whose peers know each other's node ids.

import { commonName, keyIdOf, makeCertificate } from './certificate.ts';
import { type CertificateOptions, certificateTerms } from './certificate-options.ts';
import type { Identity } from './identity.ts';
import { checkIdentity } from './is-identity.ts';

/**
 * Default validity of a node's certificate, in days, here and in `Authority.issue`;
 * `CertificateOptions` documents it.
 */
export const NODE_DAYS = 90;

/**
 * Makes a certificate of `identity`, signed by its own key; PEM, for `tls.cert`. Use it in networks
 * where nodes are known by their ids: all certificates of a key are equally good, and no authority
 * has to be trusted. If an authority admits the nodes, see `createAuthority`. Rejects with a
 * TypeError that names an invalid argument or option.
 */
export async function selfSigned(
  identity: Identity,
  options: CertificateOptions = {},
): Promise<string> {
  checkIdentity(identity, 'selfSigned');
  const {
    name = identity.nodeId,
    notBefore,
    notAfter,
    random,
  } = certificateTerms(options, { days: NODE_DAYS }, 'selfSigned');
  const { publicKey } = identity;
  const subject = await commonName(name);
  return makeCertificate({
    kind: 'node',
    subject,
    publicKey,
    issuer: { identity, name: subject, keyId: keyIdOf(publicKey) },
    notBefore,
    notAfter,
    random,
  });
}
