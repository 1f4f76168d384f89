// Identities and certificates in files. For Node.

export { loadCertificate, saveCertificate } from './certificate-file.ts';
export {
  loadIdentity,
  loadOrCreateIdentity,
  type SaveIdentityOptions,
  saveIdentity,
} from './key-file.ts';
