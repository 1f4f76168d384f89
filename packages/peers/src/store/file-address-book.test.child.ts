// Run by a test in a process of its own: takes an address book, says so, and holds it until it is killed or told to close.

import { createFileAddressBook } from './file-address-book.ts';

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
