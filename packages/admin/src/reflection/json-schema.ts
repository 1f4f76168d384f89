// The JSON Schema of a Standard Schema, as far as its library can make one.

import * as z from 'zod/mini';
import type { JsonSchema } from './description.ts';

/** The parts of a Standard Schema that are read here; a library may lack `jsonSchema`. */
interface StandardProps {
  readonly vendor?: unknown;
  readonly jsonSchema?: { input?(options: { target: string }): unknown } | undefined;
}

/**
 * Returns the JSON Schema (draft 2020-12) of the inputs of a schema, because inputs cross the wire.
 * The JSON Schema comes from `~standard.jsonSchema.input` or, for zod/mini, from `z.toJSONSchema`.
 * If the library has neither, or throws because JSON Schema can't express the type, the result is
 * `{}`, which allows every value.
 */
export function jsonSchemaOf(schema: unknown): JsonSchema {
  try {
    const { vendor, jsonSchema } = (schema as { '~standard': StandardProps })['~standard'];
    const made =
      jsonSchema?.input?.({ target: DIALECT }) ??
      (vendor === 'zod'
        ? z.toJSONSchema(schema as z.core.$ZodType, { io: 'input', target: DIALECT })
        : {});
    // A JSON copy has no functions and shares no objects with the library.
    const { $schema: _, ...rest } = JSON.parse(JSON.stringify(made));
    return rest;
  } catch {
    return {};
  }
}

const DIALECT = 'draft-2020-12';
