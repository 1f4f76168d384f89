// Elements as tagged templates. Texts in them are always text, never markup.

import htm from 'htm';
import { h, type VNode } from 'preact';

/** Returns the elements of a template. */
export const html: (strings: TemplateStringsArray, ...values: unknown[]) => Html =
  // The types of htm do not fit a function with several overloads.
  (htm as unknown as { bind(create: unknown): never }).bind(h);

/** The result of a template. */
export type Html = VNode | VNode[];
