// A JSON codec that takes every value, and what it refuses.

import type { StandardSchemaV1 } from '@standard-schema/spec';
import { z } from 'zod';
import { decodeAs, encodeAs } from '../codec.ts';
import { json } from '../json.ts';
import { refusalOf } from './refused.ts';

export const anything = json(z.any());
export const bytesOf = (content: string) => new TextEncoder().encode(content);

/** Returns a schema of another library than zod. */
export const schemaOf = (
  validate: StandardSchemaV1.Props<any>['validate'],
): StandardSchemaV1<any> => ({ '~standard': { version: 1, vendor: 'own', validate } });

/** Returns why a value cannot be encoded. */
export const encodingOf = (value: unknown) =>
  refusalOf(() => encodeAs(anything, 'request', value as any)).message;

/** Returns why bytes cannot be decoded. */
export const decodingOf = (content: string | Uint8Array) =>
  refusalOf(() =>
    decodeAs(anything, 'request', typeof content === 'string' ? bytesOf(content) : content),
  ).message;
