// Reads the XML of routers, as far as UPnP uses it: elements that contain text or other elements.
// Takes time in proportion to the length of the text, whatever it contains.

/** A tag, and the text that follows it. */
export interface XmlTag {
  /** The name without its namespace: 'controlURL', or '/service' at the end of an element. */
  readonly name: string;
  readonly text: string;
}

/** Yields the tags of a document. Comments, declarations and CDATA sections are left out. */
export function* xmlTags(xml: string): Generator<XmlTag, void, undefined> {
  for (let at = xml.indexOf('<'); at >= 0; ) {
    const end = xml.indexOf(xml.startsWith('<!--', at) ? '-->' : '>', at);
    if (end < 0) return;
    const next = xml.indexOf('<', end);
    const [, slash = '', qualified = ''] =
      /^(\/?)([^\s/!?]*)/.exec(xml.slice(at + 1, Math.min(end, at + NAME_LIMIT))) ?? [];
    if (qualified !== '')
      yield {
        name: slash + qualified.slice(qualified.indexOf(':') + 1),
        text: unescaped(xml.slice(end + 1, next < 0 ? undefined : next).trim()),
      };
    at = next;
  }
}

/** Returns the text of the first element with this name; undefined if there is none. */
export function xmlText(xml: string, name: string): string | undefined {
  for (const tag of xmlTags(xml)) if (tag.name === name) return tag.text;
  return undefined;
}

/** Returns a value as the text of an element. */
export function escapeXml(value: string | number): string {
  return String(value).replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function unescaped(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{1,4}));/gi,
    (entity, decimal, hexadecimal, name) => {
      if (name !== undefined) return NAMED[name] ?? entity;
      const code = Number(decimal ?? `0x${hexadecimal}`);
      return code <= LAST_CODE_POINT ? String.fromCodePoint(code) : entity;
    },
  );
}

const NAMED: Readonly<Record<string, string>> = {
  __proto__: null as never,
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};
const LAST_CODE_POINT = 0x10ffff;
/** Characters of a tag in which its name is looked for. */
const NAME_LIMIT = 256;
