// The parts of peers that need files, for Node.

export { createFileAddressBook, createFileStore, type FileStore } from './store/file-store.ts';
