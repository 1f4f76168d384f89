// Takes a node out of service: it refuses new calls, and calls in flight finish.

import type { AnyTransport, Protocol } from '@trunkline/transport-core';
import { isProtocol, option, optionsSchema, parseOptions } from '@trunkline/transport-core/backend';
import { serviceOf } from '@trunkline/transport-core/internal';

const schema = optionsSchema({
  grace: option.withDefault(option.grace(), 10_000),
  refuse: option.withDefault(
    option.reference<boolean>((value) => typeof value === 'boolean', 'true or false'),
    true,
  ),
  except: option.withDefault(
    option.reference<readonly Protocol[]>(
      (value) => Array.isArray(value) && value.every(isProtocol),
      'a list of protocols made by defineProtocol, not of their names',
    ),
    [],
  ),
});

/** Options of `drain`. */
export interface DrainOptions {
  /**
   * The time limit for calls in flight, in milliseconds, 0 or more or `Infinity`. Default 10,000.
   */
  readonly grace?: number | undefined;
  /**
   * Set this to false if the address of this transport also leads to other processes, such as those
   * of a cluster or behind a load balancer. The transport then stops listening and leaves its
   * accepted connections, 16 every 10 ms. Callers dial the address again, and no call is refused.
   * Default true: the address leads only to this transport, so peers' new calls are refused.
   */
  readonly refuse?: boolean | undefined;
  /**
   * Protocols whose calls go on, because the node itself needs them. Their calls are neither
   * refused nor waited for, and their services stay 'serving'. A later drain without them withdraws
   * them. For a protocol that never drains, use `mount(protocol, { drains: false })`. Default:
   * none.
   */
  readonly except?: readonly Protocol[] | undefined;
}

/**
 * Takes a transport out of service, ahead of its `close`. From now on, the node's health reports
 * that it is not ready, and (unless `refuse` is false) peers' calls are refused with `unavailable`
 * (reason `draining`, `sent: false`), so that their callers can use other nodes. Calls whose
 * handlers have started can finish. The node may still make calls. One-ways, Trunkline's own
 * protocols (peers, gossip) and those that do not drain continue. Resolves when no peer's call is
 * in flight and (with `refuse: false`) no accepted connection is left, when the grace period is
 * over, or when the transport closes. After that, close the transport with a grace period, so that
 * calls that are still on their way are also refused with `sent: false`. Draining can't be undone.
 * Rejects with a TypeError for an invalid option or transport.
 */
export async function drain(transport: AnyTransport, options: DrainOptions = {}): Promise<void> {
  const { grace, refuse, except } = parseOptions(schema, options, 'drain');
  const service = serviceOf(transport, 'drain');
  service.drain(
    refuse,
    except.map(({ name }) => name),
  );
  const { clock } = service;
  const until = clock.now() + grace;
  const isBusy = () => {
    const connections = refuse ? 0 : service.leaveAccepted(BATCH);
    return connections > 0 || service.inFlight > 0;
  };
  while (service.state === 'open' && isBusy() && clock.now() < until)
    await clock.sleep(Math.min(STEP, until - clock.now()));
}

/** The interval between checks for calls in flight, in milliseconds. */
const STEP = 10;
/**
 * Maximum number of connections that the transport leaves at each check. Their callers dial again,
 * and a transport completes only `limits.handshakes` handshakes at a time.
 */
const BATCH = 16;
