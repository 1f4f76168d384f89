// The parts of peers that need files, for Node.

export type { FileStore } from './store/file-entries.ts';
export { createFileAddressBook, createFileStore } from './store/file-store.ts';
