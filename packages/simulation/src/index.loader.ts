// The entry for Node that loads packages which were not written for a simulation, and gives code the
// file system of a node.
export { fileSystem } from './loader/files/virtual-fs.ts';
export { createLoader, type Load, type LoaderOptions } from './loader/loader.ts';
