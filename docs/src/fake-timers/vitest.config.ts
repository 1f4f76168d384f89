// Only a thread allows a fake `process.nextTick`.
export default { test: { include: ['vitest.js'], exclude: [], pool: 'threads' } };
