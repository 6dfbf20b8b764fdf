// The little of the telnet protocol that a serial line needs: bytes of 255 are doubled, commands of the other side are left
// out, and the line asks for a client that neither echoes nor waits for whole lines. Source: RFC 854, 856, 857, 858.
import { Transform, type TransformCallback } from 'node:stream';

const IAC = 255;
const DONT = 254;
const WILL = 251;
const DO = 253;
const SUBNEGOTIATION = 250;
const SUBNEGOTIATION_END = 240;
const BINARY = 0;
const ECHO = 1;
const SUPPRESS_GO_AHEAD = 3;
const CR = 13;

/** What the line says first. */
export const TELNET_GREETING: Uint8Array = Uint8Array.from(
  [
    [WILL, ECHO],
    [WILL, SUPPRESS_GO_AHEAD],
    [WILL, BINARY],
    [DO, BINARY],
  ].flatMap((command) => [IAC, ...command]),
);

/** Data as telnet carries them. Pure. */
export function encodeTelnet(data: Uint8Array): Uint8Array {
  if (!data.includes(IAC)) return data;
  return Uint8Array.from([...data].flatMap((byte) => (byte === IAC ? [IAC, IAC] : [byte])));
}

type State = 'data' | 'afterReturn' | 'command' | 'option' | 'subnegotiation' | 'subnegotiationCommand';

/** Finds the data in what a telnet client sends, wherever its packets are cut. */
export class TelnetDecoder {
  #state: State = 'data';

  decode(chunk: Uint8Array): Uint8Array {
    const data: number[] = [];
    for (const byte of chunk) {
      if (this.#takes(byte)) data.push(byte);
    }
    return Uint8Array.from(data);
  }

  // Moves on by one byte; true when it is data.
  #takes(byte: number): boolean {
    switch (this.#state) {
      case 'data':
      case 'afterReturn': {
        // A client that does not transmit binary sends a bare return as CR NUL.
        const isPadding = this.#state === 'afterReturn' && byte === 0;
        this.#state = byte === IAC ? 'command' : byte === CR ? 'afterReturn' : 'data';
        return byte !== IAC && !isPadding;
      }
      case 'command':
        this.#state = byte === SUBNEGOTIATION ? 'subnegotiation' : byte >= WILL && byte <= DONT ? 'option' : 'data';
        return byte === IAC;
      case 'option':
        this.#state = 'data';
        return false;
      case 'subnegotiation':
        if (byte === IAC) this.#state = 'subnegotiationCommand';
        return false;
      case 'subnegotiationCommand':
        this.#state = byte === SUBNEGOTIATION_END ? 'data' : 'subnegotiation';
        return false;
    }
  }
}

function transform(change: (chunk: Uint8Array) => Uint8Array): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
      done(null, change(chunk));
    },
  });
}

export function telnetEncoding(): Transform {
  return transform(encodeTelnet);
}

export function telnetDecoding(): Transform {
  const decoder = new TelnetDecoder();
  return transform((chunk) => decoder.decode(chunk));
}
