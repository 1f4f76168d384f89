// The entry for Node. It loads packages that were not written for a simulation, and gives code the
// file system of a node.
export { fileSystem } from './loader/files/virtual-fs.ts';
export { createLoader, type Load, type LoaderOptions } from './loader/loader.ts';
