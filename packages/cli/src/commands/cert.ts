// trunkline cert: keys, an authority and certificates.

import { X509Certificate } from 'node:crypto';
import { createAuthority, nodeIdOf, openAuthority } from '@trunkline/security';
import {
  loadCertificate,
  loadIdentity,
  loadOrCreateIdentity,
  saveCertificate,
  saveIdentity,
} from '@trunkline/security/node';
import type { Command } from 'commander';
import { table, toJson } from '../output.ts';
import type { CliTerminal } from '../terminal.ts';
import { parseCount } from '../time.ts';

interface CertificateFlags {
  readonly out: string;
  readonly name?: string | undefined;
  readonly days?: string | undefined;
}

export function addCert(program: Command, terminal: CliTerminal): void {
  const cert = program
    .command('cert')
    .summary('make keys and certificates')
    .description(
      'Makes a certificate authority, keys of nodes, and certificates. Files of keys can be read by their owner only, and are never replaced.',
    );
  const print = (command: Command, values: Record<string, string>) =>
    terminal.out(
      command.optsWithGlobals()['json'] === true
        ? `${toJson(values)}\n`
        : table(Object.entries(values)),
    );
  cert
    .command('ca')
    .summary('make a certificate authority')
    .description(
      'Makes a certificate authority: <out>.key, which you keep secret, and <out>.crt, which every node needs as its ca.',
    )
    .option('-o, --out <path>', 'the path of the files without extension', 'ca')
    .option('--name <name>', 'the name in the certificate')
    .option('--days <number>', 'the days for which it is valid; default 3650')
    .action(async ({ out, name, days }: CertificateFlags, command: Command) => {
      const authority = await createAuthority({ name, days: daysOf(days) });
      await saveIdentity(`${out}.key`, authority.identity);
      await saveCertificate(`${out}.crt`, authority.cert);
      await print(command, { key: `${out}.key`, certificate: `${out}.crt` });
    });
  cert
    .command('key')
    .summary('make the key of a node')
    .description(
      'Makes the private key of a node in <out>.key, unless this file exists, and prints the node id.',
    )
    .option('-o, --out <path>', 'the path of the file without extension', 'node')
    .action(async ({ out }: CertificateFlags, command: Command) => {
      const { nodeId } = await loadOrCreateIdentity(`${out}.key`);
      await print(command, { key: `${out}.key`, nodeId });
    });
  cert
    .command('issue')
    .summary('make the certificate of a node, and its key if needed')
    .description(
      'Makes <out>.crt, the certificate of a node, signed by the authority. The key <out>.key is made unless it exists.',
    )
    .option('-o, --out <path>', 'the path of the files without extension', 'node')
    .option('--authority <path>', 'the path of the files of the authority without extension', 'ca')
    .option('--name <name>', 'the name in the certificate; default: the node id')
    .option('--days <number>', 'the days for which it is valid; default 90')
    .action(
      async (
        { out, name, days, authority: path }: CertificateFlags & { authority: string },
        command: Command,
      ) => {
        const { key } = await loadIdentity(`${path}.key`);
        const authority = await openAuthority({ key, cert: await loadCertificate(`${path}.crt`) });
        const identity = await loadOrCreateIdentity(`${out}.key`);
        const issued = await authority.issue(identity, { name, days: daysOf(days) });
        await saveCertificate(`${out}.crt`, issued);
        const { nodeId } = identity;
        await print(command, { key: `${out}.key`, certificate: `${out}.crt`, nodeId });
      },
    );
  cert
    .command('show')
    .summary('show a certificate')
    .description('Shows the node id, the names and the dates of a certificate.')
    .argument('<file>', 'a certificate in PEM')
    .action(async (file: string, _: object, command: Command) => {
      const pem = await loadCertificate(file);
      const { subject, issuer, validFrom, validTo, ca } = new X509Certificate(pem);
      const nodeId = nodeIdOf(pem);
      const kind = ca ? 'authority' : 'node';
      await print(command, { nodeId, kind, subject, issuer, validFrom, validTo });
    });
}

function daysOf(days: string | undefined): number | undefined {
  return days === undefined ? undefined : parseCount(days, '--days');
}
