// The globals of Node, browsers and workers that do no I/O and tell no time, as far as core uses
// them. Code that must do neither compiles with no globals but these and those of ECMAScript, so
// that it can't use a socket, a timer or a clock by accident: declare none of these here. Nothing
// compares a declaration with the real global, so look up that Node 20.19, all browsers and all
// workers have it in this form.

interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: any;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
  throwIfAborted(): void;
}
interface AbortController {
  readonly signal: AbortSignal;
  abort(reason?: any): void;
}
declare var AbortController: { new (): AbortController; prototype: AbortController };

interface TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>;
  encodeInto(text: string, into: Uint8Array): { read: number; written: number };
}
interface TextDecoder {
  decode(bytes?: Uint8Array): string;
}
declare var TextEncoder: { new (): TextEncoder; prototype: TextEncoder };
declare var TextDecoder: {
  new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder;
  prototype: TextDecoder;
};

interface URL {
  readonly hostname: string;
}
declare var URL: { new (url: string, base?: string): URL; prototype: URL };

declare function queueMicrotask(callback: () => void): void;
