// biome-ignore-all lint/nursery/noJsRestrictedProperties: messages are timed between processes, and core's Clock begins anew in each

/** Returns nanoseconds of the machine's monotonic clock, which all its processes share. */
export const commonNow = (): number => Number(process.hrtime.bigint());
