// One HTTP request to a router. Any device of the local network can pretend to be one, so redirects
// are not followed, and the length of an answer is limited.

import { Buffer } from 'node:buffer';
import { type IncomingMessage, request } from 'node:http';

/** A message for the router; it is sent by POST. */
export interface RouterMessage {
  readonly soapAction: string;
  readonly body: string;
}

/** The answer of a router. */
export interface RouterAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * Sends a request: GET, or POST if there is a message. Rejects if the router redirects the request,
 * if its answer is longer than 1 MiB, and when `signal` aborts.
 *
 * @param url a URL with an IPv4 address, so that no name is looked up.
 */
export function askRouter(
  url: URL,
  signal: AbortSignal,
  message?: RouterMessage,
): Promise<RouterAnswer> {
  return new Promise((resolve, reject) => {
    const options = { agent: false, maxHeaderSize: HEADER_LIMIT, signal };
    const sent =
      message === undefined
        ? request(url, options)
        : request(url, {
            ...options,
            method: 'POST',
            headers: {
              'content-type': 'text/xml; charset="utf-8"',
              'content-length': Buffer.byteLength(message.body),
              soapaction: `"${message.soapAction}"`,
            },
          });
    const fail = (error: Error) => {
      reject(error);
      sent.destroy();
    };
    sent.on('error', fail);
    sent.on('response', (response: IncomingMessage) => {
      const { statusCode: status = 0, headers } = response;
      if (status >= 300 && status < 400)
        return fail(
          new Error(`it redirects ${url} to '${headers.location}', which is not followed`),
        );
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('error', fail);
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > ANSWER_LIMIT)
          fail(new Error(`its answer to a request for ${url} is longer than 1 MiB`));
      });
      response.on('end', () => resolve({ status, text: Buffer.concat(chunks).toString() }));
    });
    sent.end(message?.body);
  });
}

const ANSWER_LIMIT = 2 ** 20;
const HEADER_LIMIT = 16_384;
