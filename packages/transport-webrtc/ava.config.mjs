// node-datachannel can abort the process if it runs in a worker thread.
export default { files: ['dist/**/*.test.js'], timeout: '30s', workerThreads: false };
