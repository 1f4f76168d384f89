// The bytes that a signature covers: everything that the publisher says. The hops are not covered,
// because they change on the way.

import { utf8ToBytes } from '@noble/hashes/utils.js';
import { encodeMessageId, MESSAGE_ID_BYTES, type MessageId } from '../messages/message-id.ts';
import type { Body } from '../overlay/body.ts';
import { KEY_BYTES } from '../protocol.ts';
import { encodeRecipients } from '../wire/frame.ts';

/**
 * Returns the name of this format and a zero byte, so that no signature that the key makes for
 * another purpose is valid here; 32 bytes of the topic, 44 of the id, 1 of the audience and its
 * list as in a frame; then the payload.
 */
export function signedContent(
  topic: Uint8Array,
  id: MessageId,
  body: Pick<Body, 'audience' | 'nodes' | 'payload'>,
): Uint8Array {
  const recipients = encodeRecipients(body);
  const head = DOMAIN.length + KEY_BYTES + MESSAGE_ID_BYTES;
  const bytes = new Uint8Array(head + recipients.length + body.payload.length);
  bytes.set(DOMAIN);
  bytes.set(topic, DOMAIN.length);
  bytes.set(encodeMessageId(id), DOMAIN.length + KEY_BYTES);
  bytes.set(recipients, head);
  bytes.set(body.payload, head + recipients.length);
  return bytes;
}

const DOMAIN = utf8ToBytes('trunkline.gossip.v1\0');
