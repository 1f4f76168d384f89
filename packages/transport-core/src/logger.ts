// The interface of a logger, which `console` and pino implement.

/**
 * A logger. Each method takes the details, as an object, and a message: `logger.warn({ target },
 * 'text')`.
 */
export interface Logger {
  debug(details: object, text: string): void;
  info(details: object, text: string): void;
  warn(details: object, text: string): void;
  error(details: object, text: string): void;
}
