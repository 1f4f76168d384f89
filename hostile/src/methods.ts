// The numbers of the victim's protocol, as an attacker could have learned them.

export const CHANNEL = 0x20;

export const Method = {
  /** Echoes bytes; honest peers call it. */
  echo: 1,
  /** A one-way whose handler takes a second. */
  note: 2,
  /** Takes JSON strings and returns how many there are. */
  strings: 3,
  /** Takes bytes and returns their length as JSON. */
  size: 4,
  /** Streams items of 64 KiB as long as the caller reads them. */
  download: 5,
  /** Reads an upload of bytes, one item a second. */
  upload: 6,
  /** Echoes bytes after ten seconds. */
  hold: 7,
  /** Takes JSON `{ n }` and returns n. */
  number: 8,
  /** Fails with an error that contains a secret. */
  fail: 9,
  /** Takes a protobuf message with lists and returns the number of their entries as JSON. */
  lists: 10,
  /** Echoes bytes after 20 ms, and ignores its signal. */
  unheeding: 11,
} as const;
