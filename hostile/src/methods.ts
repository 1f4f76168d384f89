// The numbers of the victim's protocol, as an attacker would have learned them.

export const CHANNEL = 0x20;

export const Method = {
  /** bytes → the same bytes: what honest peers call. */
  echo: 1,
  /** A one-way whose handler takes a second. */
  note: 2,
  /** JSON strings → their number. */
  strings: 3,
  /** bytes → their length, as JSON. */
  size: 4,
  /** Streams 64 KiB items for as long as anybody takes them. */
  download: 5,
  /** Takes an upload of bytes, one item a second. */
  upload: 6,
  /** bytes → the same bytes, after ten seconds. */
  hold: 7,
  /** JSON `{ n }` → n. */
  number: 8,
  /** Fails with an error that holds a secret. */
  fail: 9,
  /** A protobuf message with lists → the number of their entries, as JSON. */
  lists: 10,
} as const;
