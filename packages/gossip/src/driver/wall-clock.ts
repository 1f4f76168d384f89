// biome-ignore-all lint/style/noRestrictedGlobals: a life of a node is numbered by the time of day, which core's Clock can't tell

/** Milliseconds since the beginning of 1970, by the machine's clock. */
export const wallNow = (): number => Date.now();
