// Most requests that a server with many followers gets are one request again: what is new since version 17, since 18 … A body that
// differs from an earlier one in nothing but the digits of its version is not parsed again.
import type { ServiceName } from '../schema.ts';
import { decodeSoapRequest, type SoapRequest } from './decode-request.ts';
import { REQUEST_LIMITS, type XmlLimits } from './read-xml.ts';

/** Bytes of a body that is worth keeping; those of WaitForUpdatesEx have some 500. */
const LONGEST = 2048;
const END = '</version>';
const MOST_DIGITS = 15;
const [ZERO, NINE] = [0x30, 0x39];

export class RepeatedRequests {
  readonly #service: ServiceName;
  readonly #limits: XmlLimits;
  readonly #mostKept: number;
  /** By everything but the version; oldest first. */
  readonly #known = new Map<string, SoapRequest>();

  /** `mostKept`: clients with collectors of their own send bodies of their own. */
  constructor(service: ServiceName = 'vim25', limits: XmlLimits = REQUEST_LIMITS, mostKept = 2048) {
    this.#service = service;
    this.#limits = limits;
    this.#mostKept = mostKept;
  }

  /** As decodeSoapRequest. What it answers must not be changed. */
  decode(body: Uint8Array, soapAction: string | undefined): SoapRequest {
    const parts = body.length <= LONGEST ? split(body) : undefined;
    if (!parts) return this.#read(body, soapAction);
    const { before, version, after } = parts;
    const key = `${soapAction ?? ''}\n${before}\n${after}`;
    const known = this.#known.get(key);
    if (known) return { ...known, args: { ...known.args, version } };
    const request = this.#read(body, soapAction);
    if (this.#isVersion(parts, request, soapAction)) this.#keep(key, request);
    return request;
  }

  /** Whether these digits are the argument, and not in a comment while the argument stands elsewhere: it has to follow them. */
  #isVersion({ before, version, after }: Parts, request: SoapRequest, soapAction: string | undefined): boolean {
    if (request.args['version'] !== version) return false;
    const other = version === '1' ? '2' : '1';
    return this.#read(Buffer.from(before + other + after, 'latin1'), soapAction).args['version'] === other;
  }

  #read(body: Uint8Array, soapAction: string | undefined): SoapRequest {
    return decodeSoapRequest(body, soapAction, this.#limits, this.#service);
  }

  #keep(key: string, request: SoapRequest): void {
    if (this.#known.size >= this.#mostKept) this.#known.delete(this.#known.keys().next().value ?? key);
    this.#known.set(key, request);
  }
}

/** A body as Latin-1, in which each byte is a character: equal texts are equal bytes. */
interface Parts {
  readonly before: string;
  readonly version: string;
  readonly after: string;
}

function split(body: Uint8Array): Parts | undefined {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
  const end = text.indexOf(END);
  let start = end;
  while (start > 0 && isDigit(text.charCodeAt(start - 1))) start -= 1;
  if (end - start < 1 || end - start > MOST_DIGITS) return undefined;
  return { before: text.slice(0, start), version: text.slice(start, end), after: text.slice(end) };
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}
