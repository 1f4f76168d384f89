// Bytes read by the word: what is looked at in every message, its names and its content, costs a third of what it does by the byte. Asking a typed
// array for its memory is a call of the engine's, and making a view of that another: so the last ones are kept, for one message is looked at
// several times, and those that come together share their memory.

/** The memory that some bytes stand in, and where they begin there. One object for all: it is good until the next call of `look`. */
export interface Look {
  readonly view: DataView<ArrayBufferLike>;
  readonly at: number;
}

const here = { bytes: new Uint8Array(0), memory: new ArrayBuffer(0) as ArrayBufferLike, view: new DataView<ArrayBufferLike>(new ArrayBuffer(0)), at: 0 };

export function look(bytes: Uint8Array): Look {
  if (bytes !== here.bytes) turn(bytes);
  return here;
}

/** What `bytes.subarray(from)` gives, which is then what was looked at last: in half the time. */
export function rest(bytes: Uint8Array, from: number): Uint8Array {
  if (bytes !== here.bytes) turn(bytes);
  const at = here.at + from;
  const part = new Uint8Array(here.memory, at, bytes.length - from);
  here.bytes = part as Uint8Array<ArrayBuffer>;
  here.at = at;
  return part;
}

function turn(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer !== here.memory) {
    here.memory = buffer;
    here.view = new DataView(buffer);
  }
  here.bytes = bytes as Uint8Array<ArrayBuffer>;
  here.at = bytes.byteOffset;
}
