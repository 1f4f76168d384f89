// The parts of peers that need a browser.

export { createIndexedDbStore, type IndexedDbStore } from './store/indexed-db-store.ts';
