// The function that loads a module of Node when it is first needed, and the platform. They come
// from the global object, since an import of 'node:process' opens the standard streams, which takes
// 8 ms.

declare const process: NodeJS.Process;

export const getBuiltinModule: NodeJS.Process['getBuiltinModule'] = process.getBuiltinModule;
export const platform: NodeJS.Platform = process.platform;

// The parser of dates of certificates is here, because the linter (biome.json) forbids Date in the
// other modules of this folder, whose names do not begin with `system-`. The tests of this folder
// use all three.

/** Returns a date of a certificate, as node:crypto writes it, in milliseconds since 1970. */
export const parseDate = (text: string): number => Date.parse(text);
