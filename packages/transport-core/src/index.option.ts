// The fields of which the options of a package are made, for backends: `option.text()`. The entry
// /backend exports them as `option`, so they follow semver; the API reports (scripts/api.mjs) show
// each change.

export {
  callback,
  functions,
  grace,
  group,
  integer,
  milliseconds,
  millisecondsOrNever,
  optional,
  reference,
  text,
  withDefault,
} from './config.ts';
