// Loads @peculiar/x509 on demand, because it takes 100 ms to load and is the larger part of a
// bundle. Programs that make no certificates and open no authority do not need it.

/**
 * Loads the library after reflect-metadata, which defines a global that the library needs when it
 * is loaded.
 */
export async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}
