// Each file in a process of its own, because tests of clusters start worker processes and threads.
export default { files: ['dist/**/*.test.js'], timeout: '2m', workerThreads: false };
