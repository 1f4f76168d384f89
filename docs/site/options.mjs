// Writes the tables of all options. Names, defaults and rules come from the schemas that the
// packages parse options with, and the meaning from the comments in their sources.

import { register } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withoutTags } from './markdown.mjs';
import { Comments } from './option-comments.mjs';
import { parts, schemas } from './options-table.mjs';
import { root } from './pages.mjs';

/**
 * Returns the page. The packages must be built.
 *
 * @throws Error if a schema is missing in the table, or an option has no comment.
 */
export async function optionsPage() {
  const found = await load();
  const comments = new Comments();
  const silent = [];
  const lines = [
    '# Options',
    '',
    'This page lists every option of every package, with its unit, its default and the rule that its value must obey.',
    '',
    'A wrong value is a `TypeError` that names the call, the option and the rule, such as',
    '`createTransport: maxPool: must be an integer from 1 to 64, got 0`. An unknown option is one,',
    'too. A default of – means that the option has none.',
  ];
  const common = found.get(schemas[0][0]);
  for (const [id, call, types] of schemas) {
    const schema = found.get(id);
    const shared = schema === common ? [] : Object.keys(common.shape);
    const rows = Object.entries(schema.shape)
      .filter(([key]) => schema === common || !(key in common.shape))
      .flatMap(([key, field]) => rowsOf(field, key))
      .map((row) => ({ ...row, meaning: comments.of(id, types, row.path) }));
    const [name] = id.split('/');
    const entry = name === 'trunkline' ? 'trunkline/mesh' : `@trunkline/${name}`;
    lines.push('', `## ${call}`, '', `\`${entry}\``, '');
    if (schema !== common && shared.some((key) => key in schema.shape))
      lines.push('Besides these, it takes the options of [all transports](#all-transports).', '');
    lines.push('| option | unit | default | must be | meaning |', '|---|---|---|---|---|');
    for (const { path, fallback, rule, meaning } of rows) {
      if (meaning === undefined) silent.push(`${path} of ${id}`);
      const unit = unitOf(path, rule, meaning ?? '');
      const cells = [`\`${path}\``, unit, shown(fallback, unit), rule, meaning ?? ''];
      lines.push(`| ${cells.map(cell).join(' | ')} |`);
    }
  }
  if (silent.length > 0) throw new Error(`no comment describes ${silent.join(', ')}`);
  return [
    ...lines,
    '',
    '**Next:** [limits](/reference/limits) explains what happens at each bound, and [errors](/reference/errors) what a caller sees.',
    '',
  ].join('\n');
}

/** Loads the modules of the table, and returns all schemas. */
async function load() {
  register('./schema-hook.mjs', import.meta.url);
  const found = new Map();
  globalThis.trunklineSchemas = found;
  for (const [id] of [...schemas, ...[...parts].map(([id]) => [id])]) {
    const [, name, module] = /^([^/]+)\/(.+)#/.exec(id);
    await import(pathToFileURL(join(root, 'packages', name, 'dist', `${module}.js`)).href);
  }
  const listed = new Set([...schemas.map(([id]) => id), ...parts.keys()]);
  const missing = [...found.keys()].filter((id) => !listed.has(id));
  if (missing.length > 0) throw new Error(`options-table.mjs lacks ${missing.join(', ')}`);
  const absent = schemas.map(([id]) => id).filter((id) => !found.has(id));
  if (absent.length > 0) throw new Error(`there is no schema ${absent.join(', ')}`);
  return found;
}

/** Returns the rows of a field: one for an option, or those of a group's options. */
function rowsOf(field, path) {
  const keys = keysOf(field, path);
  if (keys === undefined)
    return [{ path, fallback: fallbackOf(field, path), rule: ruleOf(field, path) }];
  const defaults = read(field, undefined, path).value ?? {};
  return keys.flatMap((key) =>
    rowsOf(
      {
        read: (given, _path, wrong) => {
          const part = given === undefined ? {} : { [key]: given };
          const value = field.read(part, path, wrong);
          return given === undefined ? defaults[key] : value?.[key];
        },
      },
      `${path}.${key}`,
    ),
  );
}

/** Returns the names of a group's options; undefined if the field is not a group. */
function keysOf(field, path) {
  const { wrong } = read(field, { [STRANGE]: 0 }, path);
  const [, names] = /unknown option; the options are (.*)$/m.exec(wrong.join('\n')) ?? [];
  return names?.split(', ');
}

/** A name that resembles that of no option. */
const STRANGE = 'zzzzzzzzzzzzzzzzzzzzzzzz';

/** Returns the default: a value, REQUIRED, or undefined for none. */
function fallbackOf(field, path) {
  const { value, wrong } = read(field, undefined, path);
  return wrong.length > 0 ? REQUIRED : value;
}

/** Formats a default. */
function shown(value, unit) {
  if (value === undefined) return '–';
  if (value === REQUIRED) return 'required';
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'number') return `\`${JSON.stringify(value)}\``;
  if (value === Infinity) return '`Infinity`';
  if (/^bytes/.test(unit) && value >= MIB && value % MIB === 0) return `${value / MIB} MiB`;
  if (/^bytes/.test(unit) && value >= KIB && value % KIB === 0) return `${value / KIB} KiB`;
  return value.toLocaleString('en-US');
}

const REQUIRED = Symbol('required');
const KIB = 1024;
const MIB = 1024 * KIB;

/** Returns the rule that a wrong value breaks, in the words of its error. */
function ruleOf(field, path) {
  for (const value of [{}, -1, '\u0000', true, Symbol.iterator, null]) {
    const line = read(field, value, path).wrong.find((each) =>
      each.startsWith(`${path}: must be `),
    );
    const [, rule] = /: must be (.*?)(?:, got [^,]*)?$/s.exec(line ?? '') ?? [];
    if (rule !== undefined) return rule;
  }
  return 'any value';
}

function read(field, given, path) {
  const wrong = [];
  try {
    return { value: field.read(given, path, wrong), wrong };
  } catch {
    return { value: undefined, wrong };
  }
}

/** Returns the unit of an option's value. */
function unitOf(path, rule, meaning) {
  if (/^milliseconds/.test(rule)) return 'ms';
  if (/bytes a second|bytes per second/i.test(`${rule} ${meaning}`)) return 'bytes/s';
  if (!/integer|number|share|above 0/.test(rule)) return '–';
  if (/share/.test(rule)) return 'share';
  if (/\.rate\./.test(path)) return 'bytes/s';
  if (BYTES.test(path)) return 'bytes';
  if (/^bytes|size in bytes|in bytes/i.test(meaning)) return 'bytes';
  return 'count';
}

const BYTES =
  /(^|\.)(bytes|message|item|packet|memory|pipe|pipeMax|short|long|reply|replyMax|stream|streamMax|limit|above)$/;

/** Escapes a text for a cell of a table. */
function cell(text) {
  return withoutTags(text).replaceAll('\n', ' ').replaceAll('|', '\\|');
}
