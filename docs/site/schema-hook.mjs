// A hook of Node's module loader: each compiled module of ours also shows its schemas of options,
// which are constants of the module, in the table `globalThis.trunklineSchemas`.

const OURS = /\/packages\/([^/]+)\/dist\/(.+)\.js$/;
const SCHEMA = /^(?:export )?const (\w+) = (?:optionsSchema|extendOptions)\(/gm;

export async function load(url, context, next) {
  const loaded = await next(url, context);
  const [, name, module] = OURS.exec(url) ?? [];
  if (name === undefined || module.startsWith('bundle/')) return loaded;
  const source = String(loaded.source);
  const lines = [...source.matchAll(SCHEMA)].map(
    ([, constant]) =>
      `globalThis.trunklineSchemas?.set('${name}/${module}#${constant}', ${constant});`,
  );
  return lines.length === 0 ? loaded : { ...loaded, source: `${source}\n${lines.join('\n')}\n` };
}
