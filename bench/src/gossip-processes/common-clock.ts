// biome-ignore-all lint/nursery/noJsRestrictedProperties: messages are timed between processes, and core's Clock begins anew in each

/** Nanoseconds of the machine's monotonic clock: the same in all of its processes. */
export const commonNow = (): number => Number(process.hrtime.bigint());
