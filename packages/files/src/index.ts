// Files for Node: written so that they are always complete or absent, read up to a size limit, and
// with errors that say what to do.

export { type AtomicFileOptions, writeAtomically } from './atomic-file.ts';
export { type FileDisk, fileDisk, hasNoLinks, readRegular } from './file-disk.ts';
export { fileError, ignoreMissing, systemErrorCode } from './file-error.ts';
