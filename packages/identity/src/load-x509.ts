// @peculiar/x509, on demand: it takes 100 ms to load and is the larger part of a bundle, and who only signs or verifies needs none of it.

/** It wants the global that reflect-metadata defines before its first line runs. */
export async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}
