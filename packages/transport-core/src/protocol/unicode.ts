// Which strings are Unicode text.

/** Half of a surrogate pair without its other half: UTF-8 has no bytes for it, so it would arrive as something else. */
export function hasLoneSurrogate(text: string): boolean {
  return LONE_SURROGATE.test(text);
}

const LONE_SURROGATE = /\p{Surrogate}/u;
