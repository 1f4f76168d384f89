// The version of this package. A build writes it from package.json.

export const VERSION = '0.0.0';
