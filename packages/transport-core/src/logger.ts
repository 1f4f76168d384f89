// The interface of a logger, which `console`, pino, bunyan and winston implement.

/**
 * A logger. Each method takes the details, as an object, and a message: `logger.warn({ target },
 * 'text')`. A logger with `log` and `levels`, such as winston's, gets one object instead, in which
 * `message` is the text.
 */
export interface Logger {
  debug(details: object, text: string): void;
  info(details: object, text: string): void;
  warn(details: object, text: string): void;
  error(details: object, text: string): void;
}
