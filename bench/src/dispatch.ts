// Runs one of several programs by its name on the command line: the entry of `bench` and of
// `evaluate`.

/** The programs by name, as URLs of their modules. */
export type Programs = Readonly<Record<string, URL>>;

/**
 * Imports the module that the first argument names, which then reads the arguments behind it.
 * Without a name, or with an option in its place, imports `standard`. If there is none, or for any
 * other name, prints the names and sets the exit code to 2.
 */
export async function dispatch(programs: Programs, standard?: URL): Promise<void> {
  const [, , name] = process.argv;
  const isNamed = name !== undefined && !name.startsWith('-');
  const program = isNamed ? programs[name] : standard;
  if (program === undefined) {
    console.error(`the first argument must be one of ${Object.keys(programs).join(', ')}`);
    process.exitCode = 2;
    return;
  }
  if (isNamed) process.argv.splice(2, 1);
  await import(program.href);
}
