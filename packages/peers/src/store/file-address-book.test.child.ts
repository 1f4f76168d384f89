// A script that a test runs in a separate process. It locks an address book, reports that, and
// holds the book until it is killed or its input ends.

import { createFileAddressBook } from './file-store.ts';

const book = createFileAddressBook(process.argv[2]!);
try {
  const { value } = await book.load((text) => text);
  await book.save(`[${process.pid}]`);
  process.stdout.write(`taken ${value}\n`);
  process.stdin.resume();
  process.stdin.on('end', () => book.close());
} catch (error) {
  process.stdout.write(`${(error as { code: string }).code}\n`);
}
