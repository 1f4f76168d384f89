import { createAuthority, createIdentity, nodeIdOf, verifySignature } from '@trunkline/security';

const node = createIdentity(); // on the node, where its private key stays
const authority = await createAuthority({ name: 'our network' }); // once, on a machine that you trust
const cert = await authority.issue(node.publicKey, { name: 'node 1' }); // TLS takes { key: node.key, cert, ca: authority.cert }
console.log('the certificate is of this node:', nodeIdOf(cert) === node.nodeId);

const message = new TextEncoder().encode('I was here');
const signature = node.sign(message);
console.log('the signature holds:', verifySignature(node.publicKey, message, signature));
