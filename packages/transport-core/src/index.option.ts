// The fields of which the options of a package are made, for backends: `option.text()`.

export {
  callback,
  grace,
  group,
  integer,
  list,
  milliseconds,
  millisecondsOrNever,
  optional,
  reference,
  text,
  withDefault,
} from './config.ts';
