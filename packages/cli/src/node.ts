// The connection of a command to a node: its settings come from options, the environment and a
// context.

import { readFile } from 'node:fs/promises';
import { adminProtocol } from '@trunkline/admin';
import { createReflector, type Reflector } from '@trunkline/admin/reflection';
import { healthProtocol } from '@trunkline/resilience/health';
import {
  type AnyTransport,
  type CallOptions,
  type Client,
  createTransport,
  TransportError,
} from '@trunkline/transport-core';
import { parseHostPort, parseTarget } from '@trunkline/transport-core/backend';
import { defineProjectProtocol, splitScheme } from '@trunkline/transport-core/internal';
import { fileError } from '@trunkline/transport-core/node';
import { tcp } from '@trunkline/transport-tcp';
import { ws } from '@trunkline/transport-ws';
import type { Command } from 'commander';
import { type Context, noContext, readContexts } from './contexts.ts';
import { checked, UsageError } from './exit-codes.ts';
import { isDialError, withHint } from './output.ts';
import type { CliTerminal } from './terminal.ts';
import { parseTime } from './time.ts';

/** The options that every command has. */
export interface GlobalOptions {
  readonly address?: string | undefined;
  readonly context?: string | undefined;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly token?: string | undefined;
  readonly network?: string | undefined;
  readonly timeout?: string | undefined;
  readonly json?: boolean | undefined;
}

/** The settings of a connection, combined from all sources. */
export interface Settings extends Context {
  /** Milliseconds. */
  readonly timeout: number;
}

/** A transport to one node. The caller must close it. */
export interface NodeConnection {
  readonly target: string;
  readonly transport: AnyTransport;
  /** The call options: timeout, metadata and signal. */
  readonly call: CallOptions;
  /** The same as `call` without the timeout, for long-lived streams. */
  readonly stream: CallOptions;
  /** Returns the reflector of the transport; `describe` of commands/call.ts closes it. */
  reflector(): Reflector;
  admin(): Client<typeof adminProtocol>;
  health(): Client<typeof healthProtocol>;
  close(): Promise<void>;
}

/** Adds the options of a connection to a command. */
export function addGlobalOptions(command: Command): Command {
  return command
    .option('-a, --address <address>', 'the node, such as tcp://10.0.0.1:7000 (TRUNKLINE_ADDRESS)')
    .option('--context <name>', 'the context to use (TRUNKLINE_CONTEXT); see trunkline context')
    .option('--ca <file>', 'the certificate of the authority that nodes trust (TRUNKLINE_CA)')
    .option('--cert <file>', 'your certificate; with --key, connections use TLS (TRUNKLINE_CERT)')
    .option('--key <file>', 'your private key (TRUNKLINE_KEY)')
    .option('--token <token>', "sent as 'authorization' with each call (TRUNKLINE_TOKEN)")
    .option('--network <name>', 'the name of the network (TRUNKLINE_NETWORK)')
    .option('--timeout <time>', "the timeout of a call: '500ms', '5s' (TRUNKLINE_TIMEOUT)")
    .option('--json', 'print JSON for programs, also for errors');
}

/**
 * Reads the settings: options first, then the environment, then the context. `--address` without
 * `--context` ignores TRUNKLINE_CONTEXT, and `--context` without `--address` ignores
 * TRUNKLINE_ADDRESS. If there is an address and no context is named, no context is used. Thus
 * another node never gets the token of a context. Throws `not_found` for an unknown context.
 */
export async function readSettings(
  options: GlobalOptions,
  terminal: Pick<CliTerminal, 'env'>,
): Promise<Settings> {
  const { env } = terminal;
  const of = (name: keyof GlobalOptions, other?: keyof GlobalOptions) =>
    (options[name] as string | undefined) ??
    ((!(other && options[other]) && env[`TRUNKLINE_${name.toUpperCase()}`]) || undefined);
  const address = of('address', 'context');
  const named = of('context', 'address');
  let context: Context = {};
  if (named !== undefined || address === undefined) {
    const { current, contexts } = await readContexts(terminal);
    const name = named ?? current;
    const found = name === undefined ? undefined : contexts[name];
    if (named !== undefined && found === undefined) throw noContext(named, contexts);
    context = found ?? {};
  }
  const given = of('timeout');
  return {
    address: address ?? context.address,
    ca: of('ca') ?? context.ca,
    cert: of('cert') ?? context.cert,
    key: of('key') ?? context.key,
    token: of('token') ?? context.token,
    network: of('network') ?? context.network,
    timeout: given === undefined ? 10_000 : parseTime(given, '--timeout'),
  };
}

/** Refuses an address that can't be dialed, for commands that don't dial it as it is. */
export function checkAddress(text: string): void {
  const { address } = parseTarget(text);
  const { scheme = 'tcp', rest } = splitScheme(address);
  if (
    scheme === 'tcp' ? !!parseHostPort(rest)?.port : /^wss?$/.test(scheme) && URL.canParse(address)
  )
    return;
  throw new UsageError(
    `expected an address such as tcp://10.0.0.1:7000 or wss://host/path, got '${text}'`,
  );
}

/** Returns the backends for the settings: TCP and WebSocket, with TLS if there is a key. */
export async function backendsOf({ ca, cert, key }: Settings) {
  if (key === undefined && cert === undefined && ca === undefined) return [tcp(), ws()];
  if (key === undefined || cert === undefined)
    throw new UsageError(
      'TLS needs --key and --cert, because nodes prove who they are at both ends; make them with: trunkline cert issue',
    );
  const [keyPem, certPem, caPem] = await Promise.all([
    readPem(key, '--key'),
    readPem(cert, '--cert'),
    ca === undefined ? undefined : readPem(ca, '--ca'),
  ]);
  const tls = { key: keyPem!, cert: certPem!, ca: caPem };
  return [tcp({ tls }), ws({ tls })];
}

async function readPem(path: string, option: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw fileError(error, option, path, 'read');
  }
}

/** Opens a connection with given settings. Nothing is dialed before the first call. */
export async function open(settings: Settings, terminal: CliTerminal): Promise<NodeConnection> {
  const { address: target, token, network, timeout } = settings;
  if (target === undefined)
    throw new UsageError(
      'which node? Give --address, set TRUNKLINE_ADDRESS, or save one with: trunkline context add',
    );
  const backends = await backendsOf(settings);
  const transport = checked(() =>
    createTransport({
      protocol: cliProtocol,
      backends,
      network,
      timeout,
      dialTimeout: Math.min(timeout, 3_000),
      hello: token === undefined ? undefined : { token },
    }),
  );
  const metadata = token === undefined ? undefined : { authorization: token };
  const signal = terminal.interrupted;
  let reflector: Reflector | undefined;
  let admin: Client<typeof adminProtocol> | undefined;
  let health: Client<typeof healthProtocol> | undefined;
  return {
    target,
    transport,
    call: { timeout, metadata, signal },
    stream: { metadata, signal },
    reflector: () => (reflector ??= createReflector(transport)),
    admin: () => (admin ??= transport.mount(adminProtocol).to(target)),
    health: () => (health ??= transport.mount(healthProtocol).to(target)),
    close: () => transport.close(),
  };
}

/** Runs a function with the connection of a command, and closes it. */
export async function withNode<T>(
  command: Command,
  terminal: CliTerminal,
  use: (node: NodeConnection) => Promise<T>,
): Promise<T> {
  const settings = await readSettings(command.optsWithGlobals(), terminal);
  return withSettings(settings, terminal, use);
}

/** Runs a function with a connection of given settings, and closes it. */
export async function withSettings<T>(
  settings: Settings,
  terminal: CliTerminal,
  use: (node: NodeConnection) => Promise<T>,
): Promise<T> {
  const node = await open(settings, terminal);
  try {
    return await use(node);
  } catch (error) {
    throw explainSecurity(error, settings);
  } finally {
    await node.close();
  }
}

/** Adds advice to the error of a node that does not offer a protocol for tools. */
export function explain(error: unknown, what: keyof typeof OFFER): unknown {
  if (!(error instanceof TransportError)) return error;
  if (error.code === 'unimplemented' || error.reason === 'no_shared_protocol')
    return withHint(error, `the node does not offer ${what}; its program must call ${OFFER[what]}`);
  const isDenied = error.code === 'permission_denied' && error.reason === 'denied';
  if (isDenied && error.origin === 'remote' && !isDialError(error))
    return withHint(
      error,
      `the node's rule for ${what} refuses you; give --token, or --cert and --key${INSTEAD[what]}`,
    );
  return error;
}

/**
 * Adds advice to the error of a plain connection that the node ended: a node with TLS does so
 * without a reason.
 */
export function explainSecurity(error: unknown, { key }: Settings): unknown {
  if (key !== undefined || !(error instanceof TransportError)) return error;
  return error.reason === 'reset' && isDialError(error)
    ? withHint(error, 'if the node uses TLS, give --ca, --cert and --key')
    : error;
}

/** Advice for callers that the node refuses. */
const INSTEAD = {
  reflection: '',
  admin: '',
  health: '; every caller may ask with --live whether the node is alive',
  peers: '',
};

const OFFER = {
  reflection: 'serveReflection(transport) of @trunkline/admin/reflection',
  admin: 'createAdmin(…).serve(…) of @trunkline/admin',
  health: 'serveHealth(transport) of @trunkline/resilience/health',
  peers: 'createPeers({ transport }) of @trunkline/peers',
};

/** The protocol of the command's own transport; it has no methods, and no node speaks it. */
const cliProtocol = defineProjectProtocol({
  name: 'trunkline.cli',
  version: 1,
  channel: 0x0f,
  methods: {},
});
