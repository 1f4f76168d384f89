// Each file in a process of its own: some start worker threads, and whatever hangs in there, a
// process can be killed.
export default { files: ['dist/**/*.test.js'], timeout: '30s', workerThreads: false };
