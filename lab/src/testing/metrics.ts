// What a daemon tells Prometheus.
import { request } from 'node:https';
import { text } from 'node:stream/consumers';

export interface Scrape {
  readonly status: number | undefined;
  readonly text: string;
  /** Sum of the samples whose name and labels match. */
  sum(pattern: RegExp): number;
}

/** GET /metrics with HTTP Basic; without an account anonymously. The certificate is the daemon's own and not looked at. */
export async function scrape(
  url: string,
  account?: { readonly userName: string; readonly password: string },
): Promise<Scrape> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; text: string }>();
  const options = {
    rejectUnauthorized: false,
    agent: false,
    ...(account ? { auth: `${account.userName}:${account.password}` } : {}),
  } as const;
  const outgoing = request(new URL('/metrics', url), options, (answer) => {
    text(answer).then((body) => resolve({ status: answer.statusCode, text: body }), reject);
  });
  outgoing.on('error', reject);
  outgoing.end();
  const said = await promise;
  return {
    ...said,
    sum: (pattern) =>
      said.text
        .split('\n')
        .filter((line) => !line.startsWith('#') && pattern.test(line))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0),
  };
}
