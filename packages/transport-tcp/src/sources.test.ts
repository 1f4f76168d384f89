// Tests handshake sources on real sockets. Addresses of IPv6 networks need a separate network
// namespace.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';

test('neighbors in one IPv6 /64 share the handshakes of one source, other networks have their own', async (t) => {
  const neighbors = ['2001:db8:1:2::1', '2001:db8:1:2:aaaa::2', '2001:db8:1:2:ffff:ffff:ffff:ffff'];
  const addresses = [
    ...neighbors,
    '2001:db8:1:3::1',
    '127.0.0.1',
    '127.0.0.1',
    '127.0.0.1',
    '127.0.0.2',
  ];
  const child = fileURLToPath(new URL('sources.test.child.js', import.meta.url));
  const own = addresses
    .filter((address) => address.includes(':'))
    .map((address) => `ip -6 addr add ${address}/128 dev lo nodad`);
  const setUp = ['ip link set lo up', ...own].join(' && ');
  const { code, output } = await run('unshare', [
    '-rn',
    'sh',
    '-c',
    `(${setUp}) || exit 77; ${process.execPath} ${child} ${addresses.join(' ')} || exit 78`,
  ]);
  if (code !== 0 && code !== 78) {
    t.log('skipped: this machine does not allow a network namespace (unshare -rn, ip)');
    return t.pass();
  }
  t.is(code, 0, output);
  const verdicts = ['in', 'in', 'refused', 'in', 'in', 'in', 'refused', 'in'];
  t.deepEqual(
    output.trim().split('\n'),
    addresses.map((address, i) => `${address} ${verdicts[i]}`),
  );
});

/** Runs a program; the exit code is undefined if there is no such program. */
function run(
  command: string,
  args: string[],
): Promise<{ code: number | undefined; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args);
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', () => resolve({ code: undefined, output }));
    child.on('close', (code) => resolve({ code: code ?? 78, output }));
  });
}
