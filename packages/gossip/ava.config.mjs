// The longest simulations take a quarter of a minute alone, and several times that beside others.
export default { files: ['dist/**/*.test.js'], timeout: '3m' };
