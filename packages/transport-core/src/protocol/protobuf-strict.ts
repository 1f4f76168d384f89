// protobufjs' reader, made as strict as bytes from a stranger ask for, and without importing it: the type brings its own.

/** The part of protobufjs' Reader that is used here. */
interface Reader {
  discardUnknown: boolean;
  tag(): number;
  string(): string;
  stringVerify(): string;
}
type ReaderClass = new (bytes: Uint8Array) => Reader;

/**
 * A function that opens bytes for `type.decode`: unknown fields are dropped (each that protobufjs keeps costs some hundred bytes),
 * text is checked to be UTF-8 under proto2 as well, and no more than `maxFields` fields are read. A type without
 * `decodeDelimited`, or of another protobufjs, gets the bytes as they are.
 */
export function strictReader(type: object, maxFields: number): (bytes: Uint8Array) => unknown {
  const Base = readerClassOf(type);
  if (Base === undefined) return plain;
  let Strict = known.get(Base);
  if (Strict === undefined) {
    Strict = makeStrict(Base);
    known.set(Base, Strict);
  }
  const Class = Strict;
  return (bytes) => new Class(plain(bytes), maxFields);
}

type StrictClass = new (bytes: Uint8Array, maxFields: number) => Reader;
const known = new WeakMap<ReaderClass, StrictClass>();

function makeStrict(Base: ReaderClass): StrictClass {
  return class StrictReader extends Base {
    private fieldsLeft: number;

    constructor(bytes: Uint8Array, maxFields: number) {
      super(bytes);
      this.fieldsLeft = maxFields;
      this.discardUnknown = true;
    }

    override tag(): number {
      if (--this.fieldsLeft < 0) throw new RangeError('too many fields');
      return super.tag();
    }

    override string(): string {
      return this.stringVerify();
    }
  };
}

/** `decodeDelimited` makes a reader and hands it to `this.decode`: so it is called with a `this` of ours. */
function readerClassOf(type: object): ReaderClass | undefined {
  const { decodeDelimited } = type as { decodeDelimited?: (bytes: Uint8Array) => unknown };
  if (typeof decodeDelimited !== 'function') return undefined;
  let reader: Partial<Reader> | undefined;
  try {
    decodeDelimited.call({ decode: (given: Reader) => void (reader = given) }, new Uint8Array([0]));
  } catch {
    return undefined;
  }
  const isReader = typeof reader?.tag === 'function' && typeof reader.stringVerify === 'function' && typeof reader.discardUnknown === 'boolean';
  return isReader ? ((reader as Reader).constructor as ReaderClass) : undefined;
}

/** Of a Buffer protobufjs would make Buffers. */
function plain(bytes: Uint8Array): Uint8Array {
  return Object.getPrototypeOf(bytes) === Uint8Array.prototype ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
