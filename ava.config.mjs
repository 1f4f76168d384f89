export default { files: ['scripts/**/*.test.mjs'], timeout: '5m' };
