// Writes docs/faults.md.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { flawsOfCatalog, formatPage, readCatalog, root } from './faults.ts';

const catalog = readCatalog();
const flaws = flawsOfCatalog(catalog);
for (const flaw of flaws) console.error(flaw);
if (flaws.length > 0) process.exitCode = 1;
writeFileSync(join(root, 'docs/faults.md'), formatPage(catalog));
