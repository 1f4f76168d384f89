// Without worker threads, so that Chromium ends with the process that started it.
export default { files: ['dist/**/*.test.js'], timeout: '2m', workerThreads: false };
