// Recognizes the protocol behind a wrong preamble, so that the error names it and the mistake is
// found quickly.

/** Describes the protocol that the first bytes of a stream look like, for the text of an error. */
export function lookAlike(bytes: Uint8Array): string {
  const head = bytes.subarray(0, 16);
  const text = String.fromCharCode(...head);
  if (/^(GET|POST|PUT|HEAD|OPTIONS|DELETE|PATCH|CONNECT|PRI) /.test(text))
    return 'HTTP (a request)';
  if (text.startsWith('HTTP/')) return 'HTTP (a response)';
  if (head[0] === 0x16 && head[1] === 0x03) return 'TLS';
  if (head[0] === 0x15 && head[1] === 0x03) return 'TLS (an alert: it accepts only TLS)';
  if (text.startsWith('TRKL')) return 'plain Trunkline (TRKL)';
  if (isNoise(bytes)) return 'Trunkline secured by noise (TRKN)';
  if (text.startsWith('SSH-')) return 'SSH';
  const hex = Array.from(head.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join(
    ' ',
  );
  return `something else (${hex})`;
}

/** Returns true if these are the first bytes of `stream-noise`. */
export function isNoise(bytes: Uint8Array): boolean {
  return String.fromCharCode(...bytes.subarray(0, 4)) === 'TRKN';
}
