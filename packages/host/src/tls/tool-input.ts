import { json } from 'node:stream/consumers';

/** What a certificate tool was asked: JSON on standard input. */
export function readToolInput(): Promise<unknown> {
  return json(process.stdin);
}
