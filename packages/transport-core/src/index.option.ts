// The fields of which the options of a package are made, for backends: `option.text()`.

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
