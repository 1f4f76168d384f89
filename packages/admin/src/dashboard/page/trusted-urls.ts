// The policy for scripts: a worker may only be made of the page's own code, which is a blob.

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): unknown;
}

const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes };
trustedTypes?.createPolicy('default', {
  createScriptURL(url) {
    if (url.startsWith('blob:')) return url;
    throw new TypeError(`the page loads no script from ${url}`);
  },
});
