// The parts of peers that need files, for Node.

export { createFileAddressBook } from './store/file-address-book.ts';
export type { FileStore } from './store/file-entries.ts';
export { createFileStore } from './store/file-store.ts';
