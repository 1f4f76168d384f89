export default { files: ['dist/**/*.test.js'], timeout: '30s' };
