// The client end of a WebSocket (RFC 6455), written by hand so that it can break every rule.

import { concat, text } from './wire.ts';

/** Makes an upgrade request. `headers` replaces or adds headers; an empty value leaves one out. */
export function upgradeRequest(
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Uint8Array {
  const all = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol': 'trunkline.v1',
    ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== '');
  return text(
    `GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  );
}

export interface FrameShape {
  readonly opcode?: number;
  readonly final?: boolean;
  readonly masked?: boolean;
}

/** Makes a WebSocket frame. Its mask is zero, which is legal and leaves the payload as it is. */
export function webSocketFrame(
  payload: Uint8Array,
  { opcode = 2, final = true, masked = true }: FrameShape = {},
): Uint8Array {
  const { length } = payload;
  const first = (final ? 0x80 : 0) | opcode;
  const bit = masked ? 0x80 : 0;
  const head =
    length < 126
      ? [first, bit | length]
      : length < 65_536
        ? [first, bit | 126, length >>> 8, length & 255]
        : [
            first,
            bit | 127,
            0,
            0,
            0,
            0,
            length >>> 24,
            (length >>> 16) & 255,
            (length >>> 8) & 255,
            length & 255,
          ];
  return concat(Uint8Array.from(head), masked ? new Uint8Array(4) : new Uint8Array(0), payload);
}

/** Reads a server's bytes: the status of the upgrade, then the payloads of frames. */
export class WebSocketReader {
  /** The HTTP status; 0 before it arrives. */
  status = 0;
  /** The code of the server's close frame: 1005 for one without a code, 0 before one arrives. */
  closeCode = 0;
  #rest: Uint8Array = new Uint8Array(0);

  /** Returns the payloads of data frames that `chunk` completes. */
  push(chunk: Uint8Array): Uint8Array[] {
    this.#rest = concat(this.#rest, chunk);
    if (this.status === 0 && !this.#readHead()) return [];
    const payloads: Uint8Array[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) {
      if (frame.opcode < 8) payloads.push(frame.payload);
      else if (frame.opcode === 8)
        this.closeCode =
          frame.payload.length < 2 ? 1005 : (frame.payload[0]! << 8) | frame.payload[1]!;
    }
    return payloads;
  }

  #readHead(): boolean {
    const end = Buffer.from(this.#rest).indexOf('\r\n\r\n');
    if (end === -1) return false;
    this.status = Number(
      /^HTTP\/1\.1 (\d{3})/.exec(
        Buffer.from(this.#rest.subarray(0, end)).toString('latin1'),
      )?.[1] ?? 999,
    );
    this.#rest = this.#rest.slice(end + 4);
    return true;
  }

  #next(): { readonly opcode: number; readonly payload: Uint8Array } | undefined {
    const bytes = this.#rest;
    if (this.status !== 101 || bytes.length < 2) return undefined;
    const short = bytes[1]! & 127;
    const start = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (bytes.length < start) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const length = short < 126 ? short : short === 126 ? view.getUint16(2) : view.getUint32(6);
    if (bytes.length < start + length) return undefined;
    this.#rest = bytes.subarray(start + length);
    return { opcode: bytes[0]! & 15, payload: bytes.subarray(start, start + length) };
  }
}
