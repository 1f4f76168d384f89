// Addresses of the form 'webrtc://id'.

import { TransportError } from '@trunkline/transport-core';

/** Returns the id in 'webrtc://id' or in a bare 'id'; throws `invalid_argument` otherwise. */
export function parseAddress(address: string, action: 'dial' | 'listen at'): string {
  const id = /^(?:webrtc:\/\/)?([\w.-]{1,256})$/i.exec(address)?.[1];
  if (id !== undefined) return id;
  throw new TransportError(
    'invalid_argument',
    `Cannot ${action} '${address}': a WebRTC address is 'webrtc://' and the id of the node in its realm (letters, digits, '.', '_' and '-')`,
    { target: address },
  );
}
