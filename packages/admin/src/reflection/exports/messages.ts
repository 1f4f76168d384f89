// Walks through the messages of methods.

import type { MessageDescription, MethodDescription } from '../description.ts';

/** The roles of a method's messages, in the order in which they are sent. */
export const ROLES = ['request', 'upload', 'response', 'download'] as const;
export type Role = (typeof ROLES)[number];

/** Returns the messages that a method has, with their roles. */
export function messagesOf(method: MethodDescription): [role: Role, message: MessageDescription][] {
  return ROLES.flatMap((role): [Role, MessageDescription][] => {
    const message = method[role];
    return message === undefined ? [] : [[role, message]];
  });
}

/** Returns true for messages that the caller of a method sends. */
export function isOfCaller(role: Role): boolean {
  return role === 'request' || role === 'upload';
}
