// The entry for Node that loads packages which were not written for a simulation.
export { createLoader, type Load, type LoaderOptions } from './loader/loader.ts';
