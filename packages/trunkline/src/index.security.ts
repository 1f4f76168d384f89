// Identities, certificates and signatures of nodes, and a secure channel over any stream layer.

export * from '@trunkline/security';
export * from '@trunkline/security/noise';
