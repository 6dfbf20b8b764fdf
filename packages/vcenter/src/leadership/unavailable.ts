// What a vCenter answers that may not answer: 503, as one does that is starting, which clients know and try again. Pure.
import { errorBody, formOf, message, VapiError } from '../rest/vapi-error.ts';

/** What clients are asked to wait, in seconds. */
const RETRY_AFTER_S = 2;

export interface Unavailable {
  readonly status: 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** `url`: what was asked for; `why`: a sentence. */
export function unavailable(url: string, why: string): Unavailable {
  const form = formOf(url);
  const error = new VapiError('service_unavailable', message('com.vivarium.vcenter.unavailable', why));
  return {
    status: 503,
    headers: {
      'content-type': form ? 'application/json' : 'text/plain; charset=utf-8',
      'retry-after': String(RETRY_AFTER_S),
      'cache-control': 'no-store',
      // The next try may be for another server, on the same port.
      connection: 'close',
    },
    body: form ? JSON.stringify(errorBody(error, form)) : `503 Service Unavailable: ${why}\n`,
  };
}
