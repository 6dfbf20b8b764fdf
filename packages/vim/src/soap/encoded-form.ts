// Data objects that bring their own XML: the PropertyCollector's answers, whose values were encoded before.

/** Where encoded text goes, piece by piece, in order. */
export interface EncodedSink {
  /** `isKept`: it has ASCII alone and is written again and again; it may be sent from where it lies. */
  text(piece: string, isKept?: boolean): void;
  /** UTF-8 that was encoded before: bytes `from` to `to` (exclusive) of `source`. They must never change: they may be sent from there. */
  bytes(source: Uint8Array, from: number, to: number): void;
}

/** Writes the whole element `<tag>…</tag>` for a client of this version rank. Other encodings ignore it. */
export const encodedForm: unique symbol = Symbol('encodedForm');

export interface HasEncodedForm {
  readonly [encodedForm]: (tag: string, rank: number, sink: EncodedSink) => void;
}

/** The encoded form as one string. */
export function encodedText(object: HasEncodedForm, tag: string, rank: number): string {
  let text = '';
  object[encodedForm](tag, rank, {
    text(piece) {
      text += piece;
    },
    bytes(source, from, to) {
      text += new TextDecoder().decode(source.subarray(from, to));
    },
  });
  return text;
}
