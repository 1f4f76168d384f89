// Each file in a process of its own: some start worker threads, and threads within threads can't always be ended.
export default { files: ['dist/**/*.test.js'], timeout: '30s', workerThreads: false };
