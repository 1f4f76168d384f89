// Identities and certificates in files. For Node.

export { loadCertificate, saveCertificate } from './identity/certificate-file.ts';
export {
  loadIdentity,
  loadOrCreateIdentity,
  type SaveIdentityOptions,
  saveIdentity,
} from './identity/key-file.ts';
