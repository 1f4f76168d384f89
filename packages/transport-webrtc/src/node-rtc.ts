// The WebRTC library of Node: node-datachannel, which users install if they want it. It is imported
// only here, and only when it is needed.

import { TransportError } from '@trunkline/transport-core';
import type { RtcIceServer, RtcLibrary } from './rtc.ts';

/**
 * Loads node-datachannel; rejects with `unimplemented` if it isn't installed or can't be loaded.
 */
export async function loadRtc(): Promise<RtcLibrary> {
  try {
    // Bundlers accept that a module is missing only if it is imported inside `try`.
    const { PeerConnection } = await import('node-datachannel');
    const { RTCPeerConnection } = await import('node-datachannel/polyfill');
    class Connection extends RTCPeerConnection {
      constructor({ iceServers = [], ...configuration }: Configuration) {
        const native = new PeerConnection('trunkline', {
          ...configuration,
          iceServers: iceServers.flatMap(urlsOf),
        });
        super({ peerConnection: withoutEvents(native) });
      }
    }
    return {
      RTCPeerConnection: Connection as unknown as RtcLibrary['RTCPeerConnection'],
      holdsMessages: true,
    };
  } catch (cause) {
    throw new TransportError(
      'unimplemented',
      "WebRTC in Node needs node-datachannel, which could not be loaded: install it (npm install node-datachannel@^0.33.4), or pass another library as the option 'rtc'",
      { cause },
    );
  }
}

interface Configuration {
  readonly iceServers?: readonly RtcIceServer[];
  readonly iceTransportPolicy?: 'all' | 'relay';
}

/**
 * Returns the URLs of a server as the library expects them, with the user name and the password.
 */
function urlsOf({ urls, username, credential }: RtcIceServer): string[] {
  const all = typeof urls === 'string' ? [urls] : urls;
  if (!username || !credential) return [...all];
  return all.map((url) => url.replace(':', `:${username}:${credential}@`));
}

/**
 * Keeps the polyfill from listening to events that this package doesn't need. `close` frees these
 * listeners immediately, while a thread of the library may still be calling the listener for the
 * ICE state. That corrupts the memory of the process.
 */
function withoutEvents<T extends object>(native: T): T {
  return new Proxy(native, {
    get(target, name) {
      if (UNHEARD.has(name)) return ignore;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function ignore(): void {}

const UNHEARD: ReadonlySet<string | symbol> = new Set([
  'onIceStateChange',
  'onSignalingStateChange',
  'onDataChannel',
]);
