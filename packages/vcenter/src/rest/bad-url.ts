// What is answered to a URL that no door can read, as it is not percent-encoded. Pure.
import { errorBody, formOf, message, VapiError } from './vapi-error.ts';

export interface BadUrl {
  readonly status: 400;
  readonly type: string;
  readonly body: string;
}

/** In the Automation API as its errors are. */
export function badUrl(url: string): BadUrl {
  const form = formOf(url);
  const text = 'The URL cannot be read.';
  if (!form) return { status: 400, type: 'text/plain; charset=utf-8', body: `400 Bad Request: ${text}\n` };
  const error = new VapiError('invalid_request', message('com.vmware.vapi.rest.httpBadRequest', text));
  return { status: 400, type: 'application/json', body: JSON.stringify(errorBody(error, form)) };
}
