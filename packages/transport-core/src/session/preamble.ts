// Whose bytes are these? A wrong preamble is named, so that the mistake is found at once.

/** What the first bytes of a stream look like: for an error's text. */
export function lookAlike(bytes: Uint8Array): string {
  const head = bytes.subarray(0, 16);
  const text = String.fromCharCode(...head);
  if (/^(GET|POST|PUT|HEAD|OPTIONS|DELETE|PATCH|CONNECT|PRI) /.test(text)) return 'HTTP (a request)';
  if (text.startsWith('HTTP/')) return 'HTTP (a response)';
  if (head[0] === 0x16 && head[1] === 0x03) return 'TLS';
  if (text.startsWith('TRKN')) return 'Trunkline secured by noise (TRKN)';
  if (text.startsWith('SSH-')) return 'SSH';
  const hex = Array.from(head.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `something else (${hex})`;
}
