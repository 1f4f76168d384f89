// Checks that every link inside the repository leads somewhere.

import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import test from 'ava';
import { anchorsOf, linksOf } from './markdown.ts';
import { read, root, texts } from './texts.ts';

for (const path of texts) {
  test(`the links of ${path} are valid`, (t) => {
    for (const link of linksOf(read(path))) {
      if (/^\w+:/.test(link)) continue;
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : normalize(join(dirname(path), file));
      t.true(existsSync(join(root, target)), `${link}: there is no ${target}`);
      if (anchor !== undefined && target.endsWith('.md'))
        t.true(anchorsOf(read(target)).includes(anchor), `${link}: ${target} has no such heading`);
    }
    t.pass();
  });
}
